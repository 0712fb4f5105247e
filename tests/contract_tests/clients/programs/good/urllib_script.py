#!/usr/bin/env python3
# Needs only the standard library: urllib_script.py "a red fox" pictures [4]
import email.utils
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

api = os.environ.get("APIXO_BASE_URL", "https://api.apixo.ai") + "/api/v1"
key = os.environ["APIXO_API_KEY"]
first_wait = float(os.environ.get("FIRST_WAIT", 20))
poll_interval = float(os.environ.get("POLL_INTERVAL", 3))
deadline = time.time() + float(os.environ.get("DEADLINE", 300))
prompt, out_dir = sys.argv[1:3]
num_images = int(sys.argv[3]) if len(sys.argv) > 3 else 1


def call(path, body=None):
    request = urllib.request.Request(api + path)
    request.add_header("Authorization", "Bearer " + key)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["data"]


def seconds_to_wait(headers, attempt):
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return int(value)
    date = email.utils.parsedate_to_datetime(value) if value else None
    if date is None:
        return 2**attempt
    return (date - email.utils.parsedate_to_datetime(headers["Date"])).total_seconds()


def submit():
    body = {"input": {"mode": "gpt-image-1", "prompt": prompt, "num_images": num_images}}
    for attempt in range(6):
        try:
            return call("/generateTask/gpt-image-1", body)["taskId"]
        except urllib.error.HTTPError as error:
            if error.code != 429 or attempt == 5:
                raise SystemExit(f"submit failed: {error} {error.read(300)!r}")
            time.sleep(seconds_to_wait(error.headers, attempt))
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise SystemExit(f"no answer to the submit, a task may be running: {error!r}")


def result_urls(task_id):
    time.sleep(first_wait)
    problems = 0
    while time.time() < deadline:
        pause = poll_interval
        try:
            task = call("/statusTask/gpt-image-1?" + urllib.parse.urlencode({"taskId": task_id}))
            if task["state"] == "success":
                if urls := json.loads(task["resultJson"])["resultUrls"]:
                    return urls
                raise SystemExit("a success without addresses")
            if task["state"] == "failed":
                raise SystemExit(f"failed with {task['failCode']}: {task['failMsg']}")
            problems = 0
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise SystemExit(f"status failed: {error}")
            print("status:", error, file=sys.stderr)
            problems += 1
            pause = max(pause, seconds_to_wait(error.headers, problems))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            problems += 1
        if problems > 5:
            raise SystemExit("too many errors while polling")
        time.sleep(pause)
    raise SystemExit("timeout")


def fetch(url):
    for attempt in range(4):
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                picture = response.read()
            if picture.startswith(b"\x89PNG") and picture[-8:-4] == b"IEND":
                return picture
        except (OSError, http.client.HTTPException) as error:
            print("trying again:", error, file=sys.stderr)
        time.sleep(0.5 * (attempt + 1))
    raise SystemExit(f"cannot download {url}")


for number, url in enumerate(result_urls(submit())):
    name = os.path.join(out_dir, f"picture-{number}.png")
    with open(name + ".part", "wb") as file:
        file.write(fetch(url))
    os.replace(name + ".part", name)
    print("saved", name)
