"""An agent that paints with a tool: agent_with_tool.py PROMPT OUT_DIR.

The agent starts the tool as a process, lists its functions and calls one over JSON lines, as
programs do that speak the Model Context Protocol. It words the prompt by itself, and it ends
with status 0 and a sentence, whatever the tool has answered.
"""

import json
import os
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

BASE_URL = os.environ["APIXO_BASE_URL"] + "/api/v1"
HEADERS = {"Authorization": f"Bearer {os.environ['APIXO_API_KEY']}"}
FIRST_WAIT = float(os.environ.get("FIRST_WAIT", "20"))
POLL_INTERVAL = float(os.environ.get("POLL_INTERVAL", "3"))
DEADLINE = float(os.environ.get("DEADLINE", "300"))


def pause_after(headers):
    value = headers.get("Retry-After", "2")
    if value.isdecimal():
        return int(value)
    return (parsedate_to_datetime(value) - parsedate_to_datetime(headers["Date"])).seconds


def answer_of(response, what):
    """Return the data of a response, None if it may be tried again."""
    if response.status_code == 429:
        time.sleep(pause_after(response.headers))
        return None
    if 400 <= response.status_code < 500:
        raise RuntimeError(f"{what}: {response.status_code} {response.text[:300]}")
    return response.json()["data"] if response.status_code == 200 else None


def paint(prompt, out_dir):
    body = {"input": {"mode": "gpt-image-1", "prompt": prompt}}
    with httpx.Client(base_url=BASE_URL, headers=HEADERS, timeout=30) as api:
        for _ in range(4):
            response = api.post("/generateTask/gpt-image-1", json=body)
            task = answer_of(response, "submit")
            if task or response.status_code != 429:
                break
        if not task:
            raise RuntimeError(f"submit: {response.status_code} {response.text[:300]}")
        params = {"taskId": task["taskId"]}
        end, errors = time.monotonic() + DEADLINE, 0
        time.sleep(FIRST_WAIT)
        while time.monotonic() < end and errors < 6:
            try:
                response = api.get("/statusTask/gpt-image-1", params=params)
                task = answer_of(response, "status")
                state = task["state"] if task else None
            except (httpx.HTTPError, ValueError, KeyError, TypeError):
                state = None
            if state == "failed":
                raise RuntimeError(f"{task['failCode']}: {task['failMsg']}")
            if state == "success":
                url = json.loads(task["resultJson"])["resultUrls"][0]
                return download(url, Path(out_dir, f"{params['taskId']}.png"))
            errors = 0 if state else errors + 1
            time.sleep(POLL_INTERVAL * 2**errors)
    raise RuntimeError("the task did not end")


def download(url, path):
    for attempt in range(4):
        try:
            response = httpx.get(url, follow_redirects=True, timeout=60)
            if response.status_code == 200 and response.content[-8:-4] == b"IEND":
                path.write_bytes(response.content)
                return str(path)
        except httpx.HTTPError:
            pass
        time.sleep(0.3 * 2**attempt)
    raise RuntimeError("the picture could not be downloaded")


def serve_tool():
    for line in sys.stdin:
        call = json.loads(line)
        if call["method"] == "tools/list":
            result = {"tools": [{"name": "paint", "input": ["prompt", "out_dir"]}]}
        else:
            try:
                result = {"file": paint(**call["params"])}
            except (RuntimeError, httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                result = {"error": str(error)}
        print(json.dumps({"id": call["id"], "result": result}), flush=True)


def run_agent(prompt, out_dir):
    tool = subprocess.Popen(
        [sys.executable, __file__, "--tool"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(number, method, **params):
        tool.stdin.write(json.dumps({"id": number, "method": method, "params": params}) + "\n")
        tool.stdin.flush()
        return json.loads(tool.stdout.readline())["result"]

    with tool:
        ask(1, "tools/list")
        wording = f"A detailed picture: {prompt.partition(',')[0]}"
        result = ask(2, "tools/call", prompt=wording, out_dir=out_dir)
        tool.stdin.close()
    if "error" in result:
        print(f"I could not paint the picture, because of this problem: {result['error']}")
    else:
        print(f"Here is your picture: {result['file']}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--tool"]:
        serve_tool()
    else:
        run_agent(*sys.argv[1:])
