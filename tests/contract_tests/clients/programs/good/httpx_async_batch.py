"""Paint three prompts at the same time: httpx_async_batch.py PROMPT OUT_DIR."""

import asyncio
import json
import os
import pathlib
import sys
from email.utils import parsedate_to_datetime

import httpx

FIRST_WAIT = float(os.environ.get("FIRST_WAIT", 20))
POLL_INTERVAL = float(os.environ.get("POLL_INTERVAL", 3))
DEADLINE = float(os.environ.get("DEADLINE", 300))
FINAL_ERRORS = {400, 401, 402, 403, 404}


class Failed(Exception):
    pass


def pause_of(response, attempt):
    value = response.headers.get("retry-after")
    if value is None:
        return 2.0**attempt
    if value.isdecimal():
        return float(value)
    now = parsedate_to_datetime(response.headers["date"])
    return (parsedate_to_datetime(value) - now).total_seconds()


async def submit(api, prompt):
    body = {"input": {"mode": "gpt-image-1", "prompt": prompt}}
    for attempt in range(6):
        response = await api.post("/generateTask/gpt-image-1", json=body)
        if response.status_code == 200:
            return response.json()["data"]["taskId"]
        if response.status_code != 429:
            break
        await asyncio.sleep(pause_of(response, attempt))
    raise Failed(f"submit: {response.status_code} {response.text}")


async def follow(api, task_id):
    await asyncio.sleep(FIRST_WAIT)
    errors = 0
    while errors < 6:
        pause = POLL_INTERVAL
        try:
            response = await api.get("/statusTask/gpt-image-1", params={"taskId": task_id})
            if response.status_code in FINAL_ERRORS:
                raise Failed(f"status: {response.status_code} {response.text}")
            if response.status_code != 200:
                print("status:", response.status_code, file=sys.stderr)
                pause = max(pause, pause_of(response, errors))
            task = response.json()["data"] if response.status_code == 200 else None
            state = task["state"] if task else None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            state = None
        if state == "success":
            if urls := json.loads(task["resultJson"])["resultUrls"]:
                return urls
            raise Failed("a success without addresses")
        if state == "failed":
            raise Failed(f"{task['failCode']}: {task['failMsg']}")
        errors = 0 if state else errors + 1
        await asyncio.sleep(pause)
    raise Failed("status: too many errors")


async def download(cdn, url, path):
    for attempt in range(5):
        try:
            response = await cdn.get(url)
            if response.status_code == 200 and response.content[-8:-4] == b"IEND":
                path.write_bytes(response.content)
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.2 * 2**attempt)
    raise Failed("download: gave up")


async def paint(api, cdn, prompt, out_dir):
    task_id = await submit(api, prompt)
    async with asyncio.timeout(DEADLINE):
        urls = await follow(api, task_id)
    for number, url in enumerate(urls):
        await download(cdn, url, out_dir / f"{task_id}-{number}.png")


async def main(prompt, out_dir):
    prompts = [prompt, f"{prompt}, in spring", f"{prompt}, in autumn"]
    headers = {"Authorization": f"Bearer {os.environ['APIXO_API_KEY']}"}
    base_url = os.environ["APIXO_BASE_URL"] + "/api/v1"
    async with (
        httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30) as api,
        httpx.AsyncClient(follow_redirects=True, timeout=60) as cdn,
    ):
        jobs = (paint(api, cdn, each, pathlib.Path(out_dir)) for each in prompts)
        results = await asyncio.gather(*jobs, return_exceptions=True)
    problems = [repr(each) for each in results if each is not None]
    print(f"{len(prompts) - len(problems)} of {len(prompts)} painted")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
