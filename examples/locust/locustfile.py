"""Load on the mock, or on your service that uses it: submit, poll until the end, download.

    locust -f locustfile.py --host http://127.0.0.1:8080 --headless --users 50 --run-time 1m

Start the mock with `--speed 20`, so that a user needs two seconds for a picture.
"""

import json
import os
import time

from locust import HttpUser, constant, task


class Painter(HttpUser):
    """Generates one picture after the other."""

    wait_time = constant(0)
    poll_s = float(os.environ.get("POLL_S", "0.2"))
    polls = 200  # More than enough for a task; a user must not wait for ever.

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {os.environ.get('APIXO_API_KEY', 'load')}"

    @task
    def generate(self) -> None:
        order = {"input": {"mode": "gpt-image-1", "prompt": "a red fox"}}
        submitted = self.client.post("/api/v1/generateTask/gpt-image-1", json=order)
        if not submitted.ok:  # Locust has counted the failure.
            return
        query = {"taskId": submitted.json()["data"]["taskId"]}
        for _ in range(self.polls):
            time.sleep(self.poll_s)
            response = self.client.get(
                "/api/v1/statusTask/gpt-image-1", params=query, name="/api/v1/statusTask"
            )
            if response.ok and response.json()["data"]["state"] in {"success", "failed"}:
                break
        else:
            return
        result = response.json()["data"].get("resultJson")
        for url in json.loads(result)["resultUrls"] if result else ():
            self.client.get(url, name="result")
