"""What a client with one key says to the mock, and what its tester says to the control plane."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx

Json: TypeAlias = dict[str, Any]

SUBMIT = "/api/v1/generateTask/gpt-image-1"
STATUS = "/api/v1/statusTask/gpt-image-1"
BALANCE = "/api/v1/apikeys/current-balance"


class Api:
    def __init__(self, http: httpx.Client, key: str) -> None:
        self.http = http
        self.key = key

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request with the key; `content` goes out as it is, `body` as JSON."""
        sent = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return self.http.request(
            method, path, content=content, headers=sent | dict(headers or {}), params=params
        )

    def try_submit(self, body: object) -> httpx.Response:
        return self.send("POST", SUBMIT, body=body)

    def submit(
        self, prompt: str = "a fox in the snow", *, callback_url: str | None = None, **given: object
    ) -> str:
        """Create a task, a callback task when there is an address; return its id."""
        body: Json = {"input": {"prompt": prompt, **given}}
        if callback_url is not None:
            body |= {"request_type": "callback", "callback_url": callback_url}
        answer = self.try_submit(body)
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["data"]["taskId"]
        return task_id

    def ask(self, task_id: str) -> httpx.Response:
        return self.send("GET", STATUS, params={"taskId": task_id})

    def status(self, task_id: str) -> Json:
        answer = self.ask(task_id)
        assert answer.status_code == 200, answer.text
        data: Json = answer.json()["data"]
        return data

    def result_urls(self, task_id: str) -> list[str]:
        urls: list[str] = json.loads(self.status(task_id)["resultJson"])["resultUrls"]
        return urls

    def balance(self) -> float:
        dollars: float = self.send("GET", BALANCE).json()["data"]
        return dollars

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.send(method, f"/_mock/{path}", body=body)

    def told(self, method: str, path: str, body: object = None) -> Json:
        """Return what control answers to a request that it must not refuse."""
        answer = self.control(method, path, body)
        assert answer.status_code == 200, answer.text
        data: Json = answer.json()
        return data

    def change(self, **settings: object) -> Json:
        return self.told("PATCH", "sandbox", settings)

    def counters(self) -> Json:
        counters: Json = self.told("GET", "sandbox")["counters"]
        return counters

    def now_ms(self) -> int:
        now_ms: int = self.told("GET", "clock")["now_ms"]
        return now_ms

    def advance(self, seconds: float | str) -> list[Json]:
        """Move the clock on; return the callback attempts made on the way."""
        fired: list[Json] = self.told("POST", "clock/advance", {"seconds": seconds})["fired"]
        return fired

    def go_real(self, speed: float) -> Json:
        return self.told("PUT", "clock", {"mode": "real", "speed": speed})

    def task(self, task_id: str) -> Json:
        return self.told("GET", f"tasks/{quote(task_id, safe='')}")

    def finish(self, task_id: str, **outcome: str) -> Json:
        path = f"tasks/{quote(task_id, safe='')}/finish"
        return self.told("POST", path, outcome or {"state": "success"})

    def deliveries(self) -> list[Json]:
        deliveries: list[Json] = self.told("GET", "callbacks")["deliveries"]
        return deliveries

    def delivery(self, task_id: str) -> Json:
        return next(each for each in self.deliveries() if each["task_id"] == task_id)
