"""Paint three variants of a prompt with a queue and workers: threads_and_queue.py PROMPT OUT_DIR."""

import json
import os
import queue
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

BASE_URL = os.environ.get("APIXO_BASE_URL", "https://api.apixo.ai")
HEADERS = {"Authorization": f"Bearer {os.environ['APIXO_API_KEY']}"}
FIRST_WAIT = float(os.environ.get("FIRST_WAIT", 20))
POLL_INTERVAL = float(os.environ.get("POLL_INTERVAL", 3))
DEADLINE = float(os.environ.get("DEADLINE", 300))
MODEL = "gpt-image-1"


class Failure(Exception):
    pass


def retry_after(response, attempt):
    value = response.headers.get("Retry-After")
    if value is None:
        return 2.0**attempt
    if value.isdigit():
        return int(value)
    now = parsedate_to_datetime(response.headers["Date"])
    return max(0, (parsedate_to_datetime(value) - now).total_seconds())


def submit(prompt, num_images):
    body = {
        "request_type": "async",
        "input": {"mode": MODEL, "prompt": prompt, "num_images": num_images},
    }
    url = f"{BASE_URL}/api/v1/generateTask/{MODEL}"
    for attempt in range(5):
        response = requests.post(url, json=body, headers=HEADERS, timeout=30)
        if response.status_code != 429:
            break
        time.sleep(retry_after(response, attempt))
    if response.status_code != 200:
        raise Failure(f"submit: {response.status_code} {response.text[:200]}")
    return response.json()["data"]["taskId"]


def get_status(task_id):
    """Return the data of a status response; None if there was no usable response."""
    url = f"{BASE_URL}/api/v1/statusTask/{MODEL}"
    try:
        response = requests.get(url, params={"taskId": task_id}, headers=HEADERS, timeout=30)
        if response.status_code in (400, 401, 403, 404):
            raise Failure(f"status: {response.status_code} {response.text[:200]}")
        if response.status_code == 429:
            time.sleep(retry_after(response, 1))
            return None
        response.raise_for_status()
        data = response.json()["data"]
        data["state"]
        return data
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        print(f"status: {error}", file=sys.stderr)
        return None


def wait(task_id):
    started = time.monotonic()
    time.sleep(FIRST_WAIT)
    errors = 0
    while time.monotonic() - started < DEADLINE:
        data = get_status(task_id)
        errors = errors + 1 if data is None else 0
        if errors == 5:
            raise Failure("status: no usable response five times")
        if data and data["state"] == "failed":
            raise Failure(f"task failed: {data['failCode']}: {data['failMsg']}")
        if data and data["state"] == "success":
            if urls := json.loads(data["resultJson"])["resultUrls"]:
                return urls
            raise Failure("a success without addresses")
        time.sleep(POLL_INTERVAL * 2**errors)
    raise Failure("the task did not end in time")


def download(url):
    for attempt in range(4):
        try:
            response = requests.get(url, timeout=60)
            if response.status_code == 200 and response.content.endswith(b"IEND\xaeB`\x82"):
                return response.content
        except requests.RequestException as error:
            print(f"download: {error}", file=sys.stderr)
        time.sleep(2**attempt / 4)
    raise Failure("could not download a picture")


def work(jobs, out_dir, failures):
    while True:
        try:
            prompt = jobs.get_nowait()
        except queue.Empty:
            return
        try:
            task_id = submit(prompt, 1)
            for number, url in enumerate(wait(task_id), 1):
                Path(out_dir, f"{task_id}-{number}.png").write_bytes(download(url))
        except (Failure, requests.RequestException, ValueError, KeyError) as error:
            failures.append(f"{prompt}: {error}")


def main(prompt, out_dir):
    jobs, failures = queue.Queue(), []
    for style in ("", ", at night", ", as a sketch"):
        jobs.put(prompt + style)
    workers = [threading.Thread(target=work, args=(jobs, out_dir, failures)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(f"{3 - len(failures)} of 3 painted")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main(*sys.argv[1:])
