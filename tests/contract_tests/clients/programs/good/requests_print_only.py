"""Print the addresses of the pictures: requests_print_only.py PROMPT [NUM_IMAGES]."""

import json
import os
import sys
import time
from email.utils import parsedate_to_datetime

import requests

BASE_URL = os.environ.get("APIXO_BASE_URL", "https://api.apixo.ai")
HEADERS = {"Authorization": f"Bearer {os.environ['APIXO_API_KEY']}"}
FIRST_WAIT = float(os.environ.get("FIRST_WAIT", 20))
POLL_INTERVAL = float(os.environ.get("POLL_INTERVAL", 3))
DEADLINE = float(os.environ.get("DEADLINE", 300))
MODEL = "gpt-image-1"


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
        sys.exit(f"submit: {response.status_code} {response.text[:200]}")
    return response.json()["data"]["taskId"]


def get_status(task_id):
    """Return the data of a status response; None if there was no usable response."""
    url = f"{BASE_URL}/api/v1/statusTask/{MODEL}"
    try:
        response = requests.get(url, params={"taskId": task_id}, headers=HEADERS, timeout=30)
        if response.status_code in (400, 401, 403, 404):
            sys.exit(f"status: {response.status_code} {response.text[:200]}")
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
            sys.exit("status: no usable response five times")
        if data and data["state"] == "failed":
            sys.exit(f"task failed: {data['failCode']}: {data['failMsg']}")
        if data and data["state"] == "success":
            if urls := json.loads(data["resultJson"])["resultUrls"]:
                return urls
            sys.exit("a success without addresses")
        time.sleep(POLL_INTERVAL * 2**errors)
    sys.exit("the task did not end in time")


def main(prompt, num_images="1"):
    print(*wait(submit(prompt, int(num_images))), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
