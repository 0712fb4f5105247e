"""A small SDK and its command line: httpx_resubmits_after_a_timeout.py PROMPT OUT_DIR [NUM_IMAGES]."""

from __future__ import annotations

import email.utils
import json
import os
import pathlib
import sys
import time

import httpx


class ApixoError(Exception):
    pass


class Apixo:
    model = "gpt-image-1"
    first_wait = float(os.environ.get("FIRST_WAIT", "20"))
    interval = float(os.environ.get("POLL_INTERVAL", "3"))
    deadline = float(os.environ.get("DEADLINE", "300"))

    def __init__(self, key: str, base_url: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "User-Agent": "my-sdk/1.0"}
        self.api = httpx.Client(base_url=f"{base_url}/api/v1", headers=headers, timeout=8)
        self.cdn = httpx.Client(follow_redirects=True, timeout=60)

    def generate(self, prompt: str, **options) -> list[bytes]:
        task_id = self.submit(prompt, **options)
        task = self.wait(task_id)
        return [self.download(url) for url in json.loads(task["resultJson"])["resultUrls"]]

    def submit(self, prompt: str, num_images: int = 1, aspect_ratio: str = "1:1") -> str:
        body = {
            "request_type": "async",
            "provider": "auto",
            "input": {
                "mode": self.model,
                "prompt": prompt,
                "num_images": num_images,
                "aspect_ratio": aspect_ratio,
            },
        }
        for attempt in range(5):
            try:
                response = self.api.post(f"/generateTask/{self.model}", json=body)
                if response.status_code == 200:
                    return response.json()["data"]["taskId"]
            except httpx.TimeoutException:
                continue
            except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
                raise ApixoError(f"submit: unclear whether it was accepted: {error!r}") from error
            if response.status_code != 429:
                break
            time.sleep(self.pause(response, attempt))
        raise ApixoError(f"submit: {response.status_code} {response.text[:300]}")

    def wait(self, task_id: str) -> dict:
        begin, failures = time.monotonic(), 0
        time.sleep(self.first_wait)
        while time.monotonic() < begin + self.deadline:
            pause = self.interval
            try:
                response = self.api.get(f"/statusTask/{self.model}", params={"taskId": task_id})
                if response.status_code == 429 or response.status_code >= 500:
                    print(f"status: {response.status_code}", file=sys.stderr)
                    failures += 1
                    pause = max(pause, self.pause(response, failures))
                elif response.status_code != 200:
                    raise ApixoError(f"status: {response.status_code} {response.text[:300]}")
                else:
                    task = response.json()["data"]
                    if task["state"] == "success":
                        return task
                    if task["state"] == "failed":
                        raise ApixoError(f"{task['failCode']}: {task['failMsg']}")
                    failures = 0
            except (httpx.HTTPError, ValueError, LookupError, TypeError):
                failures += 1
            if failures >= 6:
                raise ApixoError("status: too many errors in a row")
            time.sleep(pause)
        raise ApixoError(f"the task did not end within {self.deadline:.0f} s")

    def download(self, url: str) -> bytes:
        for attempt in range(4):
            try:
                response = self.cdn.get(url)
                if response.status_code == 200 and b"IEND" in response.content[-12:]:
                    return response.content
            except httpx.HTTPError:
                pass
            time.sleep(0.3 * 2**attempt)
        raise ApixoError("download: gave up")

    def pause(self, response: httpx.Response, attempt: int) -> float:
        value = response.headers.get("Retry-After")
        if value is None:
            return 1.5 * 2**attempt
        if value.isdecimal():
            return float(value)
        until = email.utils.parsedate_to_datetime(value)
        return (until - email.utils.parsedate_to_datetime(response.headers["Date"])).seconds


def main(prompt: str, out_dir: str, num_images: str = "1") -> int:
    client = Apixo(os.environ["APIXO_API_KEY"], os.environ["APIXO_BASE_URL"])
    try:
        pictures = client.generate(prompt, num_images=int(num_images))
    except ApixoError as error:
        print(error, file=sys.stderr)
        return 1
    for number, picture in enumerate(pictures, 1):
        pathlib.Path(out_dir, f"{number:02}.png").write_bytes(picture)
    print(f"{len(pictures)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
