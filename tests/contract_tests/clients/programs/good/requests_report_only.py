"""Paint once and report every problem: requests_report_only.py PROMPT OUT_DIR [NUM_IMAGES]."""

import json
import os
import sys
import time
from pathlib import Path

import requests

BASE_URL = os.environ.get("APIXO_BASE_URL", "https://api.apixo.ai")
HEADERS = {"Authorization": f"Bearer {os.environ['APIXO_API_KEY']}"}
FIRST_WAIT = float(os.environ.get("FIRST_WAIT", 20))
POLL_INTERVAL = float(os.environ.get("POLL_INTERVAL", 3))
DEADLINE = float(os.environ.get("DEADLINE", 300))
MODEL = "gpt-image-1"


def call(method, path, **given):
    """Return the data of a response; end the program with the problem otherwise."""
    try:
        response = requests.request(
            method, f"{BASE_URL}/api/v1/{path}/{MODEL}", headers=HEADERS, timeout=30, **given
        )
    except requests.RequestException as error:
        sys.exit(f"{path}: {error}")
    if response.status_code != 200:
        sys.exit(f"{path}: {response.status_code} {response.text[:300]}")
    try:
        data = response.json()["data"]
        return data, data["taskId"]
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"{path}: the response cannot be read: {error!r}")


def submit(prompt, num_images):
    body = {"input": {"mode": MODEL, "prompt": prompt, "num_images": num_images}}
    return call("POST", "generateTask", json=body)[1]


def wait(task_id):
    end = time.monotonic() + DEADLINE
    time.sleep(FIRST_WAIT)
    while time.monotonic() < end:
        task, _ = call("GET", "statusTask", params={"taskId": task_id})
        if task["state"] == "success":
            if urls := json.loads(task["resultJson"])["resultUrls"]:
                return urls
            sys.exit("a success without addresses")
        if task["state"] == "failed":
            sys.exit(f"{task['failCode']}: {task['failMsg']}")
        time.sleep(POLL_INTERVAL)
    sys.exit("the task did not end in time")


def download(url):
    try:
        response = requests.get(url, timeout=60)
        response.raise_for_status()
    except requests.RequestException as error:
        sys.exit(f"download: {error}")
    if not response.content.endswith(b"IEND\xaeB`\x82"):
        sys.exit("download: the picture is not complete")
    return response.content


def main(prompt, out_dir, num_images="1"):
    task_id = submit(prompt, int(num_images))
    for number, url in enumerate(wait(task_id), 1):
        path = Path(out_dir, f"{task_id}-{number}.png")
        path.write_bytes(download(url))
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
