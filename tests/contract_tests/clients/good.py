"""A client as it should be, in small steps: a mutant overrides one of them."""

import json
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, ClassVar, Final

import httpx

from contract_tests.client.driving.trials import Trial

_SUBMIT: Final = "/api/v1/generateTask/gpt-image-1"
_STATUS: Final = "/api/v1/statusTask/gpt-image-1"
_PNG_END: Final = b"IEND\xaeB`\x82"
_ENDED: Final = frozenset({"success", "failed"})

Json = dict[str, Any]
Sleep = Callable[[float], None]


class Failure(Exception):
    """Says to the user what went wrong."""


class Client:
    """Submits, asks until the task has ended, and fetches the pictures.

    `breaks` is the rule of the audit that a mutant breaks.
    """

    breaks: ClassVar[str] = ""
    only: ClassVar[tuple[str, ...]] = ()
    """The situations that a mutant is for, where they are not those of its kind."""
    bound_s: ClassVar[float] = 600.0
    num_images = 1
    first_s = 20.0
    every_s = 3.0
    patience_s = 300.0
    most_tries = 5

    def __init__(self, trial: Trial, http: httpx.Client, sleep: Sleep) -> None:
        self.trial = trial
        self.http = http
        self.sleep = sleep
        self.output: list[str] = []

    def run(self) -> None:
        task_id = self.submit()
        self.finish(self.awaited(task_id))

    def submit(self) -> str:
        task_id: str = self.ask("submit", self.submit_request)["taskId"]
        return task_id

    def body(self) -> Json:
        return {"request_type": "async", "provider": "auto", "input": self.wish()}

    def wish(self) -> Json:
        return {
            "mode": "gpt-image-1",
            "prompt": self.trial.prompt,
            "aspect_ratio": "1:1",
            "num_images": self.num_images,
        }

    def submit_request(self) -> httpx.Request:
        return self.http.build_request("POST", _SUBMIT, headers=self.headers(), json=self.body())

    def status_request(self, task_id: str) -> httpx.Request:
        return self.http.build_request(
            "GET", _STATUS, headers=self.headers(), params={"taskId": task_id}
        )

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.trial.key}", "User-Agent": "good-client/1"}

    def awaited(self, task_id: str) -> Json:
        """Return `data` of a task that has ended."""
        self.sleep(self.first_s)
        waited_s = self.first_s
        while waited_s < self.patience_s:
            data = self.look(task_id)
            if self.is_over(data):
                return data
            self.sleep(self.every_s)
            waited_s += self.every_s
        raise Failure(f"the task has not ended within {self.patience_s:.0f} s")

    def look(self, task_id: str) -> Json:
        data: Json = self.ask("status", lambda: self.status_request(task_id))
        return data

    def is_over(self, data: Json) -> bool:
        return data["state"] in _ENDED

    def ask(self, operation: str, request: Callable[[], httpx.Request]) -> Any:
        """Return `data` of the answer, after as many tries as it takes."""
        for tries in count(1):
            try:
                answer = self.http.send(request())
                if answer.status_code == 200:
                    return self.decoded(answer)["data"]
                problem = f"{operation}: {answer.status_code} {answer.text[:200]}"
                pause_s = self.pause_after_refusal(operation, answer, tries)
            except (httpx.RequestError, ValueError) as error:
                problem = f"{operation}: {error}"
                pause_s = self.pause_after_loss(operation, error, tries)
            if pause_s is None:
                break
            self.sleep(pause_s)
        raise Failure(problem)

    def decoded(self, answer: httpx.Response) -> Any:
        return answer.json()

    def pause_after_refusal(
        self, operation: str, answer: httpx.Response, tries: int
    ) -> float | None:
        """Return how long to wait before the same is asked again; None means never."""
        if tries >= self.most_tries:
            return None
        if answer.status_code == 429:
            return self.pause_when_throttled(answer, tries)
        return self.growing_s(tries) if answer.status_code >= 500 else None

    def pause_after_loss(self, operation: str, error: Exception, tries: int) -> float | None:
        """Say never for a submit: it may have been accepted, and would be paid for twice."""
        if operation == "submit" or tries >= self.most_tries:
            return None
        return self.growing_s(tries)

    def pause_when_throttled(self, answer: httpx.Response, tries: int) -> float | None:
        written = answer.headers.get("retry-after")
        if written is None:
            return self.pause_untold(tries)
        if written.isdecimal():
            return self.pause_of_seconds(written)
        return self.pause_until(written, answer.headers["date"])

    def pause_untold(self, tries: int) -> float | None:
        return self.growing_s(tries)

    def pause_of_seconds(self, written: str) -> float:
        return float(written)

    def pause_until(self, date: str, now: str) -> float:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()

    def growing_s(self, tries: int) -> float:
        return 2.0**tries

    def finish(self, data: Json) -> None:
        if data["state"] == "failed":
            self.fail(data)
        else:
            self.fetch_all(self.addresses(data))

    def fail(self, data: Json) -> None:
        raise Failure(self.told_of_failure(data))

    def told_of_failure(self, data: Json) -> str:
        return f"the task failed: {data['failCode']}: {data['failMsg']}"

    def addresses(self, data: Json) -> list[str]:
        found: list[str] = json.loads(data["resultJson"])["resultUrls"]
        return found

    def fetch_all(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            self.output.append(f"{len(self.fetched(address))} bytes")

    def fetched(self, address: str) -> bytes:
        for tries in count(1):
            try:
                answer = self.http.send(self.download_request(address))
                if 400 <= answer.status_code < 500:
                    break
                if self.is_whole(answer):
                    return answer.content
            except httpx.RequestError as error:
                self.output.append(f"download: {error}")
            if tries >= self.most_tries:
                break
            self.sleep(self.growing_s(tries))
        raise Failure("a picture could not be fetched")

    def download_request(self, address: str) -> httpx.Request:
        return self.http.build_request("GET", address)

    def is_whole(self, answer: httpx.Response) -> bool:
        return answer.status_code == 200 and answer.content.endswith(_PNG_END)


class Listener(Client):
    """Is told by callbacks, and says so when none comes. `take` runs in the receiver's thread."""

    patience_s = 120.0
    look_every_s = 3.0

    def __init__(self, trial: Trial, http: httpx.Client, sleep: Sleep) -> None:
        super().__init__(trial, http, sleep)
        self.callback_url = ""
        self.told: list[Json] = []

    def body(self) -> Json:
        return super().body() | {"request_type": "callback", "callback_url": self.callback_url}

    def take(self, body: bytes) -> int:
        """Keep what a callback tells, whether its task is known yet or not; answer a status."""
        try:
            self.told.append(json.loads(body)["data"])
        except ValueError:
            return self.status_of_garbage(body)
        return 200

    def status_of_garbage(self, body: bytes) -> int:
        return 400

    def awaited(self, task_id: str) -> Json:
        waited_s = 0.0
        while waited_s < self.patience_s:
            mine = [data for data in self.told if self.is_mine(task_id, data)]
            if mine:
                return mine[0]
            self.sleep_for_callback(waited_s)
            waited_s += self.look_every_s
        return self.untold(task_id)

    def sleep_for_callback(self, waited_s: float) -> None:
        self.sleep(self.look_every_s)

    def is_mine(self, task_id: str, data: Json) -> bool:
        return bool(data["taskId"] == task_id)

    def untold(self, task_id: str) -> Json:
        raise Failure(f"no callback came within {self.patience_s:.0f} s")


class FallsBack(Listener):
    """As good as the other: asks when no callback comes."""

    def untold(self, task_id: str) -> Json:
        return self.look(task_id)


class WantsTwo(Client):
    num_images = 2


class Batch(Client):
    """Has several tasks under way, of a prompt each, and no more than it may."""

    only = ("many-tasks",)
    at_once = 3

    def run(self) -> None:
        for _ in range(self.at_once):
            self.submit()

    def wish(self) -> Json:
        self.output.append("another one")
        return super().wish() | {"prompt": f"{self.trial.prompt}, {len(self.output)}"}
