"""Mutants of C-PAY, C-RES and C-FAIL: they pay twice, lose images, or hide failures."""

from collections.abc import Callable, Iterable
from typing import Any

import httpx

from tests.contract_tests.clients.good import Client, Failure, Json

_DAY_S = 86_400.0
_ONE_BAD_DOWNLOAD = ("A-REQ-001", "A-RES-001", "A-RES-002", "A-RES-004", "A-RES-005")
_BALANCE = "/api/v1/apikeys/current-balance"


class SubmitsAgainWhenTheResponseIsLost(Client):
    violates = "C-PAY-001"

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        return self.backoff_s(attempts)


class ChecksTheBalanceAndSubmitsAgain(Client):
    violates = "C-PAY-001"

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        self.http.get(_BALANCE, headers=self.headers())
        return self.backoff_s(attempts)


class SubmitsAFailedTaskAgain(Client):
    violates = "C-PAY-002"

    def fail(self, data: Json) -> None:
        super().fail(self.wait_for_end(self.submit()))


class SubmitsAgainWhenPollingFails(Client):
    violates = "C-PAY-003"
    time_budget_s = 2 * Client.time_budget_s

    def wait_for_end(self, task_id: str) -> Json:
        try:
            return super().wait_for_end(task_id)
        except Failure:
            return super().wait_for_end(self.submit())


class SubmitsTwice(Client):
    violates = "C-PAY-003"

    def submit(self) -> str:
        task_id = super().submit()
        super().submit()
        return task_id


class ReadsResultJsonAsAnObject(Client):
    violates = "C-RES-001"

    def result_urls(self, data: Json) -> list[str]:
        found: list[str] = data["resultJson"]["resultUrls"]
        return found


class DownloadsNothing(Client):
    violates = "C-RES-001"

    def download_all(self, addresses: Iterable[str]) -> None:
        self.output.append("done")


class DownloadsOnlyTheFirst(Client):
    violates = "C-RES-002"
    num_images = 2

    def result_urls(self, data: Json) -> list[str]:
        return super().result_urls(data)[:1]


class DownloadsAfterSixteenDays(Client):
    violates = "C-RES-003"
    only_in = ("A-REQ-001",)
    time_budget_s = 20 * _DAY_S

    def download_all(self, addresses: Iterable[str]) -> None:
        self.sleep(16 * _DAY_S)
        super().download_all(addresses)


class KeepsAnInterruptedDownload(Client):
    violates = "C-RES-004"
    only_in = _ONE_BAD_DOWNLOAD
    stores_files = False

    def download(self, address: str) -> bytes:
        try:
            return self.http.send(self.download_request(address)).content
        except httpx.RequestError:
            return b""


class KeepsATruncatedImage(Client):
    violates = "C-RES-004"
    only_in = _ONE_BAD_DOWNLOAD
    stores_files = False

    def is_whole(self, answer: httpx.Response) -> bool:
        return answer.status_code == 200


class GivesUpOnABrokenDownload(Client):
    violates = "C-RES-004"
    only_in = _ONE_BAD_DOWNLOAD
    stores_files = False

    def download(self, address: str) -> bytes:
        return self.http.send(self.download_request(address)).content


class SendsTheKeyWithDownloads(Client):
    violates = "C-RES-005"

    def download_request(self, address: str) -> httpx.Request:
        return self.http.build_request("GET", address, headers=self.headers())


class SendsTheKeyInTheAddress(Client):
    violates = "C-RES-005"

    def download_request(self, address: str) -> httpx.Request:
        return self.http.build_request("GET", address, params={"key": self.trial.key})


class IgnoresAFailure(Client):
    violates = "C-FAIL-001"

    def fail(self, data: Json) -> None:
        self.output.append(self.failure_message(data))


class HidesTheFailCode(Client):
    violates = "C-FAIL-002"

    def failure_message(self, data: Json) -> str:
        return "something went wrong"


class SubmitsAgainAfterATimeout(Client):
    violates = "C-PAY-001"

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        if operation == "submit" and isinstance(error, httpx.TimeoutException):
            return self.backoff_s(attempts)
        return super().pause_after_loss(operation, error, attempts)


class SubmitsAgainAfterAServerError(Client):
    violates = "C-PAY-001"

    def pause_after_server_error(self, operation: str, attempts: int) -> float | None:
        return self.backoff_s(attempts)


class EndsWellAfterItGaveUp(Client):
    violates = "C-FAIL-003"
    has_failed = False

    def run(self) -> None:
        try:
            super().run()
        except Failure as error:
            if self.has_failed:
                raise
            self.output.append(str(error))

    def fail(self, data: Json) -> None:
        self.has_failed = True
        super().fail(data)

    def download(self, address: str) -> bytes:
        self.has_failed = True
        return super().download(address)


class TakesAnEmptyResponseForSuccess(Client):
    violates = "C-FAIL-003"

    def run(self) -> None:
        task_id = self.submit()
        if task_id:
            self.finish(self.wait_for_end(task_id))

    def decode(self, answer: httpx.Response) -> Any:
        return super().decode(answer) if answer.content else {"data": {"taskId": ""}}


class CrashesOnARejection(Client):
    violates = "C-FAIL-004"

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if 400 <= answer.status_code < 429 and "failCode" not in answer.text:
            self.output.append("Traceback (most recent call last):")
            raise KeyError("taskId")
        return super().pause_after_rejection(operation, answer, attempts)


class HidesWhyItWasRejected(Client):
    violates = "C-FAIL-004"

    def call(self, operation: str, request: Callable[[], httpx.Request]) -> Any:
        try:
            return super().call(operation, request)
        except Failure:
            raise Failure("it did not work") from None


class HidesTheFailCodeOfARejection(Client):
    violates = "C-FAIL-005"

    def call(self, operation: str, request: Callable[[], httpx.Request]) -> Any:
        try:
            return super().call(operation, request)
        except Failure as error:
            raise Failure(str(error).replace("SensitiveContent", "a reason")) from None


class StaysAliveAfterItsEnd(Client):
    """Leaves something open that keeps its process alive, such as a server or a timer."""

    violates = "C-FAIL-006"

    def run(self) -> None:
        super().run()
        self.sleep(self.time_budget_s)


MUTANTS: tuple[type[Client], ...] = (
    SubmitsAgainWhenTheResponseIsLost, ChecksTheBalanceAndSubmitsAgain, SubmitsAFailedTaskAgain,
    SubmitsAgainWhenPollingFails, SubmitsTwice, ReadsResultJsonAsAnObject, DownloadsNothing,
    DownloadsOnlyTheFirst, DownloadsAfterSixteenDays, KeepsAnInterruptedDownload,
    KeepsATruncatedImage, GivesUpOnABrokenDownload, SendsTheKeyWithDownloads,
    SendsTheKeyInTheAddress, IgnoresAFailure, HidesTheFailCode,
    SubmitsAgainAfterATimeout, SubmitsAgainAfterAServerError, EndsWellAfterItGaveUp,
    TakesAnEmptyResponseForSuccess,
    CrashesOnARejection, HidesWhyItWasRejected,
    HidesTheFailCodeOfARejection, StaysAliveAfterItsEnd,
)  # fmt: skip
