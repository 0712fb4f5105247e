"""Clients with a bug that needs two events, or an order of events that no staged case has.

Most of them pass every staged case. `violates` is the invariant that exploring finds violated, and
`shortest` are the events of the shortest scenario that shows it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import ClassVar

import httpx

from tests.contract_tests.clients.good import Client, Failure, Json, Listener, PollingListener


class CarefulClient(Client):
    """Never sends a submit again that may have been accepted, and misses no picture."""

    num_images = 2
    shortest: ClassVar[tuple[str, ...]] = ()
    pictures: ClassVar[int] = 1

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if operation == "submit" and answer.status_code >= 500:
            return None
        return super().pause_after_rejection(operation, answer, attempts)

    def result_urls(self, data: Json) -> list[str]:
        urls = super().result_urls(data)
        if len(urls) != self.num_images:
            raise Failure(f"{len(urls)} of {self.num_images} addresses")
        return urls


class CarefulListener(CarefulClient, Listener):
    """Waits for callbacks as carefully."""


class CarefulPollingListener(CarefulClient, PollingListener):
    """Polls if no callback arrives."""


class RetriesAnErrorAfterA429(CarefulClient):
    """Once it has waited for a 429, it retries the submit whatever happens: it may pay twice."""

    violates = "X-PAY"
    shortest = ("submit-429", "submit-lost")

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        if operation == "submit" and attempts > 1:
            return self.backoff_s(attempts)
        return super().pause_after_loss(operation, error, attempts)


class LosesTheSecondPicture(CarefulClient):
    """Leaves its loop over the pictures as soon as a download was repeated."""

    violates = "X-PIC"
    shortest = ("result-500",)

    def download_all(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            lines = len(self.output)
            self.output.append(f"{len(self.download(address))} bytes")
            if len(self.output) > lines + 1:
                return

    def is_whole(self, answer: httpx.Response) -> bool:
        is_whole = super().is_whole(answer)
        if not is_whole:
            self.output.append("the download is repeated")
        return is_whole


class TrustsTheSecondDownload(CarefulClient):
    """Checks a picture only at the first attempt."""

    violates = "X-PIC"
    shortest = ("result-500", "result-truncated")

    def download(self, address: str) -> bytes:
        for attempts in count(1):
            try:
                answer = self.http.send(self.download_request(address))
                if 400 <= answer.status_code < 500:
                    break
                if self.is_whole(answer) or (attempts > 1 and answer.status_code == 200):
                    return answer.content
            except httpx.RequestError as error:
                self.output.append(f"download: {error}")
            if attempts >= self.max_attempts:
                break
            self.sleep(self.backoff_s(attempts))
        raise Failure("a picture could not be fetched")


class TakesARepeatedFailureForASuccess(CarefulListener):
    """Believes that a task is done when its callback arrives a second time."""

    violates = "X-TELL"
    shortest = ("task-fails-2s", "callback-twice")

    def fail(self, data: Json) -> None:
        mine = [each for each in self.received if self.is_mine(data["taskId"], each)]
        if len(mine) == 1:
            super().fail(data)


class StaysThrottled(CarefulClient):
    """Counts the 429 responses of all its tasks together."""

    violates = "X-DONE"
    shortest = ("submit-429", "submit-429")
    pictures = 2
    throttled: ClassVar[defaultdict[str, set[str]]] = defaultdict(set)

    def pause_when_throttled(self, answer: httpx.Response, attempts: int) -> float | None:
        prompts = self.throttled[self.trial.key]
        prompts.add(self.trial.prompt)
        return super().pause_when_throttled(answer, attempts) if len(prompts) == 1 else None


class DumpsItsRequests(CarefulClient):
    """Prints the request, with its headers, if a status request gets a 429 after a 5xx."""

    violates = "X-KEY"
    shortest = ("status-500", "status-429")
    last_status = 0

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if operation == "status" and answer.status_code == 429 and self.last_status >= 500:
            self.output.append(f"still failing: {dict(answer.request.headers)}")
        self.last_status = answer.status_code
        return super().pause_after_rejection(operation, answer, attempts)


class KeepsTheFirstPause(CarefulClient):
    """Waits after each 429 only as long as after the first one."""

    violates = "X-LIM"
    shortest = ("submit-429-no-header", "submit-429")
    pause_s: float | None = None

    def pause_when_throttled(self, answer: httpx.Response, attempts: int) -> float | None:
        if self.pause_s is None:
            self.pause_s = super().pause_when_throttled(answer, attempts)
        return self.pause_s


class DeniesALateStatus(CarefulPollingListener):
    """Asks for the status after a callback, and gives up if the two differ."""

    violates = "X-DONE"
    shortest = ("status-late",)

    def finish(self, data: Json) -> None:
        if data["state"] == "success" and self.poll(data["taskId"])["state"] != "success":
            raise Failure("the status contradicts the callback")
        super().finish(data)


class TakesNoAddressForASuccess(CarefulClient):
    """Downloads every address of a success, even if there is none."""

    violates = "X-PIC"
    shortest = ("status-no-urls",)

    def result_urls(self, data: Json) -> list[str]:
        found: list[str] = json.loads(data["resultJson"])["resultUrls"]
        return found


BROKEN: tuple[type[CarefulClient], ...] = (
    RetriesAnErrorAfterA429,
    LosesTheSecondPicture,
    TrustsTheSecondDownload,
    TakesARepeatedFailureForASuccess,
    StaysThrottled,
    DumpsItsRequests,
    KeepsTheFirstPause,
    DeniesALateStatus,
    TakesNoAddressForASuccess,
)
CAREFUL: tuple[type[CarefulClient], ...] = (
    CarefulClient,
    CarefulListener,
    CarefulPollingListener,
)
