"""aiohttp_no_dates.py PROMPT OUT_DIR [NUM_IMAGES]: the downloads of one task run concurrently."""

import asyncio
import json
import os
import sys
from pathlib import Path

import aiohttp

BASE = os.environ["APIXO_BASE_URL"] + "/api/v1"
AUTH = {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]}
FIRST_WAIT = float(os.environ.get("FIRST_WAIT", 20))
POLL_INTERVAL = float(os.environ.get("POLL_INTERVAL", 3))
DEADLINE = float(os.environ.get("DEADLINE", 300))


class Problem(Exception):
    pass


def delay(headers, attempt):
    value = headers.get("Retry-After")
    if not value:
        return 2**attempt
    return int(value)


async def submit(session, prompt, num_images):
    body = {"input": {"mode": "gpt-image-1", "prompt": prompt, "num_images": num_images}}
    for attempt in range(5):
        async with session.post(
            BASE + "/generateTask/gpt-image-1", json=body, headers=AUTH
        ) as response:
            if response.status == 200:
                return (await response.json())["data"]["taskId"]
            if response.status != 429:
                raise Problem(f"submit: {response.status} {await response.text()}")
            pause = delay(response.headers, attempt)
        await asyncio.sleep(pause)
    raise Problem("submit: the limit is reached")


async def poll(session, task_id):
    await asyncio.sleep(FIRST_WAIT)
    errors = 0
    while True:
        pause = POLL_INTERVAL
        try:
            async with session.get(
                BASE + "/statusTask/gpt-image-1", params={"taskId": task_id}, headers=AUTH
            ) as response:
                if response.status in (400, 401, 403, 404):
                    raise Problem(f"status: {response.status} {await response.text()}")
                if response.status != 200:
                    pause = max(pause, delay(response.headers, errors))
                    raise ValueError(response.status)
                task = json.loads(await response.text())["data"]
            if task["state"] == "failed":
                raise Problem(f"{task['failCode']} {task['failMsg']}")
            if task["state"] == "success":
                return json.loads(task["resultJson"])["resultUrls"]
            errors = 0
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError) as error:
            print("status:", error, file=sys.stderr)
            errors += 1
            if errors == 6:
                raise Problem("status: too many errors") from None
        await asyncio.sleep(pause)


async def download(session, url, path):
    for attempt in range(4):
        try:
            async with session.get(url) as response:
                picture = await response.read()
            if response.status == 200 and picture[-8:-4] == b"IEND":
                path.write_bytes(picture)
                return
        except aiohttp.ClientError as error:
            print("download:", error, file=sys.stderr)
        await asyncio.sleep(0.4 * 2**attempt)
    raise Problem("download failed")


async def main(prompt, out_dir, num_images="1"):
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        task_id = await submit(session, prompt, int(num_images))
        urls = await asyncio.wait_for(poll(session, task_id), DEADLINE)
        await asyncio.gather(
            *(download(session, url, Path(out_dir, f"{i}.png")) for i, url in enumerate(urls))
        )
    print("done")


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except (Problem, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
        sys.exit(f"error: {error!r}")
