"""Waits for the callback, and polls in the meantime: callback_and_polling.py PROMPT OUT_DIR PORT [NUM_IMAGES]."""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

API = os.environ["APIXO_BASE_URL"] + "/api/v1"
AUTH = {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]}
DEADLINE = float(os.environ.get("DEADLINE", 300))

finished = {}  # The first final status of each task id, whether or not it is known yet.
arrived = threading.Condition()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            data = json.loads(body)["data"]
            task_id = data["taskId"]
        except (ValueError, KeyError, TypeError):
            self.send_error(400)
            return
        with arrived:
            finished.setdefault(task_id, data)
            arrived.notify_all()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


def submit(prompt, callback_url, num_images):
    body = {
        "request_type": "callback",
        "callback_url": callback_url,
        "input": {"mode": "gpt-image-1", "prompt": prompt, "num_images": num_images},
    }
    for attempt in range(5):
        response = requests.post(
            API + "/generateTask/gpt-image-1", json=body, headers=AUTH, timeout=30
        )
        if response.status_code != 429:
            break
        time.sleep(int(response.headers.get("Retry-After", 2**attempt)))
    response.raise_for_status()
    return response.json()["data"]["taskId"]


def poll(task_id):
    """Return the status of a task; None if there was no usable response."""
    url = API + "/statusTask/gpt-image-1"
    try:
        response = requests.get(url, params={"taskId": task_id}, headers=AUTH, timeout=30)
        return response.json()["data"] if response.status_code == 200 else None
    except (requests.RequestException, ValueError, KeyError):
        return None


def wait(task_id):
    end = time.monotonic() + DEADLINE
    pause = float(os.environ.get("FIRST_WAIT", 20))
    while time.monotonic() < end:
        with arrived:
            if arrived.wait_for(lambda: task_id in finished, pause):
                return finished[task_id]
        task = poll(task_id)
        if task and task.get("state") in ("success", "failed"):
            return task
        pause = float(os.environ.get("POLL_INTERVAL", 3))
    sys.exit("the task did not end in time")


def download(url, path):
    for attempt in range(4):
        try:
            response = requests.get(url, timeout=60)
            if response.ok and response.content.endswith(b"IEND\xaeB`\x82"):
                with open(path, "wb") as file:
                    file.write(response.content)
                return
        except requests.RequestException:
            pass
        time.sleep(0.5 * 2**attempt)
    sys.exit("a picture could not be downloaded")


def main(prompt, out_dir, port, num_images="1"):
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    task_id = submit(prompt, f"http://127.0.0.1:{port}/callback", int(num_images))
    task = wait(task_id)
    if task["state"] == "failed":
        sys.exit(f"{task['failCode']}: {task['failMsg']}")
    urls = json.loads(task["resultJson"])["resultUrls"]
    if not urls:
        sys.exit("a success without addresses")
    for number, url in enumerate(urls, 1):
        download(url, os.path.join(out_dir, f"{number}.png"))
    time.sleep(float(os.environ.get("LINGER", 0)))  # The provider may repeat its callback.
    server.shutdown()
    print("saved")


if __name__ == "__main__":
    main(*sys.argv[1:])
