"""Clients that an audit runs, and what it prints about them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.contract_tests.commands import contract_tests

SUBMIT = "/api/v1/generateTask/gpt-image-1"
BODY = {"request_type": "async", "provider": "auto",
        "input": {"mode": "gpt-image-1", "prompt": "a fox", "aspect_ratio": "1:1"}}  # fmt: skip
CLIENT = f"""
import atexit, json, os, sys, urllib.error, urllib.request

rejections = []

@atexit.register
def report_rejections():
    if rejections:
        print("rejected:", *rejections, flush=True)
        os._exit(1)

def ask(path, body=None, **headers):
    key = {{"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]}}
    kind = {{"Content-Type": "application/json"}}
    url = os.environ["APIXO_BASE_URL"] + path
    request = urllib.request.Request(url, body, key | kind | headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None

def submit(**headers):
    status, answer = ask("{SUBMIT}", b'''{json.dumps(BODY)}''', **headers)
    if status != 200:
        rejections.append(status)
    return status, answer
"""
ONCE = "submit()"
TWICE = "submit(), submit()"
THEN_ASK = """
status, answer = submit()
if status == 200:
    ask("/api/v1/statusTask/gpt-image-1?taskId=" + answer["data"]["taskId"])
"""


def audit(command: str, *words: str | Path, select: str = "A-LIM-005", **given: Any) -> Any:
    return contract_tests("audit", "--exec", command, "--select", select, *words, **given)


def exit_and_verdict(ended: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return ended.returncode, verdict_of(ended.stdout)


def verdict_of(output: str) -> str:
    """Return the verdict of the only case, from the line with the counts."""
    (verdict,) = re.findall(r"^1 case: 1 ([A-Z]+);", output, re.MULTILINE)
    return str(verdict)
