"""A small client, which the tests use as an example."""

import json
import os
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any


class GenerationFailed(Exception):
    """The task failed; the message is its fail code."""


def paint(prompt: str, sleep: Callable[[float], object] = time.sleep) -> list[str]:
    """Return the addresses of the pictures."""
    task = call("POST", "generateTask/gpt-image-1", {"input": {"prompt": prompt}})
    query = urllib.parse.urlencode({"taskId": task["taskId"]})
    sleep(20)
    while True:
        task = call("GET", f"statusTask/gpt-image-1?{query}")
        if task["state"] == "success":
            urls: list[str] = json.loads(task["resultJson"])["resultUrls"]
            return urls
        if task["state"] == "failed":
            raise GenerationFailed(task["failCode"])
        sleep(3)


def call(method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{os.environ['APIXO_BASE_URL']}/api/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {os.environ['APIXO_API_KEY']}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]
