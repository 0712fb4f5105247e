"""Correct clients in small steps; a mutant overrides one step."""

import json
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, ClassVar, Final

import httpx

from contract_tests.client.driving.trials import Trial

_SUBMIT: Final = "/api/v1/generateTask/gpt-image-1"
_STATUS: Final = "/api/v1/statusTask/gpt-image-1"
_TIMEOUT_S: Final = 30.0
_HANGS: Final = frozenset({"A-ROB-008", "A-PAY-006"})
_SHORT_TIMEOUT_S: Final = 0.3  # In real time, in the cases in which a response never ends.
_PNG_END: Final = b"IEND\xaeB`\x82"
_ENDED: Final = frozenset({"success", "failed"})

Json = dict[str, Any]
Sleep = Callable[[float], None]


class Failure(Exception):
    """An error that the client reports to its user."""


class Client:
    """Submits, polls until the task has ended, and downloads the images.

    `violates` is the rule of the audit that a mutant violates.
    """

    violates: ClassVar[str] = ""
    only_in: ClassVar[tuple[str, ...]] = ()
    """The ids of the only situations that a mutant runs in; empty for all of its kind."""
    time_budget_s: ClassVar[float] = 600.0
    stores_files: ClassVar[bool] = True
    num_images = 1
    first_poll_s = 20.0
    interval_s = 3.0
    deadline_s = 300.0
    max_attempts = 5

    def __init__(self, trial: Trial, http: httpx.Client, sleep: Sleep) -> None:
        self.trial = trial
        self.http = http
        self.sleep = sleep
        self.output: list[str] = []
        self.files: dict[str, bytes] = {}
        if trial.num_images != 1:
            self.num_images = trial.num_images

    def run(self) -> None:
        task_id = self.submit()
        self.finish(self.wait_for_end(task_id))

    def submit(self) -> str:
        task_id: str = self.call("submit", self.submit_request)["taskId"]
        return task_id

    def body(self) -> Json:
        return {"request_type": "async", "provider": "auto", "input": self.task_input()}

    def task_input(self) -> Json:
        return {
            "mode": "gpt-image-1",
            "prompt": self.trial.prompt,
            "aspect_ratio": "1:1",
            "num_images": self.num_images,
        }

    def submit_request(self) -> httpx.Request:
        return self.http.build_request(
            "POST", _SUBMIT, headers=self.headers(), json=self.body(), timeout=self.timeout_s
        )

    def status_request(self, task_id: str) -> httpx.Request:
        return self.http.build_request(
            "GET",
            _STATUS,
            headers=self.headers(),
            params={"taskId": task_id},
            timeout=self.timeout_s,
        )

    @property
    def timeout_s(self) -> float:
        return _SHORT_TIMEOUT_S if self.trial.case_id in _HANGS else _TIMEOUT_S

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.trial.key}", "User-Agent": "good-client/1"}

    def wait_for_end(self, task_id: str) -> Json:
        """Return `data` of the final state."""
        self.sleep(self.first_poll_s)
        waited_s = self.first_poll_s
        while waited_s < self.deadline_s:
            data = self.poll(task_id)
            if self.is_final(data):
                return data
            self.sleep(self.interval_s)
            waited_s += self.interval_s
        raise Failure(f"the task has not ended within {self.deadline_s:.0f} s")

    def poll(self, task_id: str) -> Json:
        data: Json = self.call("status", lambda: self.status_request(task_id))
        return data

    def is_final(self, data: Json) -> bool:
        return data["state"] in _ENDED

    def call(self, operation: str, request: Callable[[], httpx.Request]) -> Any:
        """Return `data` of the response; retry as often as the client allows."""
        for attempts in count(1):
            try:
                answer = self.http.send(request())
                if answer.status_code == 200:
                    return self.decode(answer)["data"]
                problem = f"{operation}: {answer.status_code} {answer.text[:200]}"
                pause_s = self.pause_after_rejection(operation, answer, attempts)
            except (httpx.RequestError, ValueError) as error:
                problem = f"{operation}: {error}"
                pause_s = self.pause_after_loss(operation, error, attempts)
            if pause_s is None:
                break
            self.sleep(pause_s)
        raise Failure(problem)

    def decode(self, answer: httpx.Response) -> Any:
        return answer.json()

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        """Return the seconds to wait before a retry; None for no retry."""
        if attempts >= self.max_attempts:
            return None
        if answer.status_code == 429:
            return self.pause_when_throttled(answer, attempts)
        if answer.status_code < 500:
            return None
        return self.pause_after_server_error(operation, attempts)

    def pause_after_server_error(self, operation: str, attempts: int) -> float | None:
        """Do not retry a submit: it may have been accepted."""
        return None if operation == "submit" else self.backoff_s(attempts)

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        """Do not retry a submit: it may have been accepted, and would be paid for twice."""
        if operation == "submit" or attempts >= self.max_attempts:
            return None
        return self.backoff_s(attempts)

    def pause_when_throttled(self, answer: httpx.Response, attempts: int) -> float | None:
        written = answer.headers.get("retry-after")
        if written is None:
            return self.pause_without_header(attempts)
        if written.isdecimal():
            return self.pause_for_seconds(written)
        return self.pause_until(written, answer.headers["date"])

    def pause_without_header(self, attempts: int) -> float | None:
        return self.backoff_s(attempts)

    def pause_for_seconds(self, written: str) -> float:
        return float(written)

    def pause_until(self, date: str, now: str) -> float:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()

    def backoff_s(self, attempts: int) -> float:
        return 2.0**attempts

    def finish(self, data: Json) -> None:
        if data["state"] == "failed":
            self.fail(data)
        else:
            self.download_all(self.result_urls(data))

    def fail(self, data: Json) -> None:
        raise Failure(self.failure_message(data))

    def failure_message(self, data: Json) -> str:
        return f"the task failed: {data['failCode']}: {data['failMsg']}"

    def result_urls(self, data: Json) -> list[str]:
        found: list[str] = json.loads(data["resultJson"])["resultUrls"]
        if not found:
            raise Failure("a success without addresses")
        return found

    def download_all(self, addresses: Iterable[str]) -> None:
        for number, address in enumerate(addresses, 1):
            picture = self.download(address)
            self.output.append(f"{len(picture)} bytes")
            self.files[self.file_name(number)] = picture

    def file_name(self, number: int) -> str:
        return f"picture-{number}.png"

    def download(self, address: str) -> bytes:
        for attempts in count(1):
            try:
                answer = self.fetch(address)
                if 400 <= answer.status_code < 500:
                    break
                if self.is_whole(answer):
                    return answer.content
            except httpx.RequestError as error:
                self.output.append(f"download: {error}")
            if attempts >= self.max_attempts:
                break
            self.sleep(self.backoff_s(attempts))
        raise Failure("a picture could not be fetched")

    def fetch(self, address: str) -> httpx.Response:
        return self.http.send(self.download_request(address), follow_redirects=True)

    def download_request(self, address: str) -> httpx.Request:
        return self.http.build_request("GET", address)

    def is_whole(self, answer: httpx.Response) -> bool:
        return answer.status_code == 200 and answer.content.endswith(_PNG_END)


class Listener(Client):
    """Waits for callbacks, and reports an error if none arrives.

    `receive` runs in the thread of the callback server.
    """

    deadline_s = 120.0
    look_every_s = 3.0

    def __init__(self, trial: Trial, http: httpx.Client, sleep: Sleep) -> None:
        super().__init__(trial, http, sleep)
        self.callback_url = ""
        self.received: list[Json] = []

    def body(self) -> Json:
        return super().body() | {"request_type": "callback", "callback_url": self.callback_url}

    def receive(self, body: bytes) -> int:
        """Keep `data` of a callback, whether or not its task is known; return the HTTP status."""
        try:
            self.received.append(json.loads(body)["data"])
        except ValueError:
            return self.answer_to_garbage(body)
        return 200

    def answer_to_garbage(self, body: bytes) -> int:
        return 400

    def wait_for_end(self, task_id: str) -> Json:
        waited_s = 0.0
        while waited_s < self.deadline_s:
            mine = [data for data in self.received if self.is_mine(task_id, data)]
            if mine:
                return mine[0]
            self.sleep_for_callback(waited_s)
            waited_s += self.look_every_s
        return self.handle_timeout(task_id)

    def sleep_for_callback(self, waited_s: float) -> None:
        self.sleep(self.look_every_s)

    def is_mine(self, task_id: str, data: Json) -> bool:
        return bool(data["taskId"] == task_id)

    def handle_timeout(self, task_id: str) -> Json:
        raise Failure(f"no callback arrived within {self.deadline_s:.0f} s")


class PollingListener(Listener):
    """A correct client that polls if no callback arrives."""

    def handle_timeout(self, task_id: str) -> Json:
        return self.poll(task_id)


class TwoImageClient(Client):
    num_images = 2


class HostBoundClient(Client):
    """Sends its key to the host of the API, whatever the request is for."""

    only_in = ("A-REQ-001", "A-ROB-005", "A-RES-003")

    def download_request(self, address: str) -> httpx.Request:
        request = super().download_request(address)
        if request.url.host == self.http.base_url.host:
            request.headers.update(self.headers())
        return request


class Batch(Client):
    """Runs several tasks concurrently, each with a prompt of its own."""

    only_in = ("many-tasks",)
    at_once = 3

    def run(self) -> None:
        for _ in range(self.at_once):
            self.submit()

    def task_input(self) -> Json:
        self.output.append("another one")
        return super().task_input() | {"prompt": f"{self.trial.prompt}, {len(self.output)}"}
