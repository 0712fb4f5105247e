"""A script as the provider's pages show it, with `requests`: submit, wait, poll, download."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import requests

BASE_URL = os.environ["APIXO_BASE_URL"]
HEADERS = {"Authorization": f"Bearer {os.environ['APIXO_API_KEY']}"}


def generate(prompt: str) -> str:
    body: dict[str, Any] = {
        "request_type": "async",
        "input": {"mode": "gpt-image-1", "prompt": prompt, "aspect_ratio": "1:1"},
    }
    answer = requests.post(
        f"{BASE_URL}/api/v1/generateTask/gpt-image-1", headers=HEADERS, json=body, timeout=30
    )
    return str(answer.json()["data"]["taskId"])


def wait(task_id: str) -> list[str]:
    time.sleep(20)
    while True:
        answer = requests.get(
            f"{BASE_URL}/api/v1/statusTask/gpt-image-1",
            headers=HEADERS,
            params={"taskId": task_id},
            timeout=30,
        )
        data = answer.json()["data"]
        if data["state"] == "success":
            return list(json.loads(data["resultJson"])["resultUrls"])
        if data["state"] == "failed":
            raise SystemExit(f"{data['failCode']}: {data['failMsg']}")
        time.sleep(3)


if __name__ == "__main__":
    for number, url in enumerate(wait(generate(sys.argv[1]))):
        picture = requests.get(url, timeout=30).content
        Path(sys.argv[2], f"{number}.png").write_bytes(picture)
