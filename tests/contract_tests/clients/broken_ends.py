"""Mutants of C-PAY, C-RES and C-FAIL: they pay twice, lose pictures, or hide failures."""

from collections.abc import Iterable

import httpx

from tests.contract_tests.clients.good import Client, Failure, Json

_DAY_S = 86_400.0
_BALANCE = "/api/v1/apikeys/current-balance"


class SubmitsAgainWhenTheAnswerIsLost(Client):
    breaks = "C-PAY-001"

    def pause_after_loss(self, operation: str, error: Exception, tries: int) -> float | None:
        return self.growing_s(tries)


class SubmitsAgainAfterALookAtTheBalance(Client):
    breaks = "C-PAY-001"

    def pause_after_loss(self, operation: str, error: Exception, tries: int) -> float | None:
        self.http.get(_BALANCE, headers=self.headers())
        return self.growing_s(tries)


class SubmitsAFailedTaskAgain(Client):
    breaks = "C-PAY-002"

    def fail(self, data: Json) -> None:
        super().fail(self.awaited(self.submit()))


class SubmitsAgainWhenAskingFails(Client):
    breaks = "C-PAY-003"
    bound_s = 2 * Client.bound_s

    def awaited(self, task_id: str) -> Json:
        try:
            return super().awaited(task_id)
        except Failure:
            return super().awaited(self.submit())


class SubmitsTwiceToBeSure(Client):
    breaks = "C-PAY-003"

    def submit(self) -> str:
        task_id = super().submit()
        super().submit()
        return task_id


class TakesResultJsonForAnObject(Client):
    breaks = "C-RES-001"

    def addresses(self, data: Json) -> list[str]:
        found: list[str] = data["resultJson"]["resultUrls"]
        return found


class FetchesNothing(Client):
    breaks = "C-RES-001"

    def fetch_all(self, addresses: Iterable[str]) -> None:
        self.output.append("done")


class FetchesTheFirstOnly(Client):
    breaks = "C-RES-002"
    num_images = 2

    def addresses(self, data: Json) -> list[str]:
        return super().addresses(data)[:1]


class FetchesAfterSixteenDays(Client):
    breaks = "C-RES-003"
    bound_s = 20 * _DAY_S

    def fetch_all(self, addresses: Iterable[str]) -> None:
        self.sleep(16 * _DAY_S)
        super().fetch_all(addresses)


class KeepsWhatCame(Client):
    breaks = "C-RES-004"

    def fetched(self, address: str) -> bytes:
        try:
            return self.http.send(self.download_request(address)).content
        except httpx.RequestError:
            return b""


class KeepsHalfAPicture(Client):
    breaks = "C-RES-004"

    def is_whole(self, answer: httpx.Response) -> bool:
        return answer.status_code == 200


class GivesUpOnABrokenDownload(Client):
    breaks = "C-RES-004"

    def fetched(self, address: str) -> bytes:
        return self.http.send(self.download_request(address)).content


class SendsTheKeyToTheHostOfResults(Client):
    breaks = "C-RES-005"

    def download_request(self, address: str) -> httpx.Request:
        return self.http.build_request("GET", address, headers=self.headers())


class WritesTheKeyIntoTheAddress(Client):
    breaks = "C-RES-005"

    def download_request(self, address: str) -> httpx.Request:
        return self.http.build_request("GET", address, params={"key": self.trial.key})


class EndsWellOnAFailure(Client):
    breaks = "C-FAIL-001"

    def fail(self, data: Json) -> None:
        self.output.append(self.told_of_failure(data))


class KeepsTheCodeToItself(Client):
    breaks = "C-FAIL-002"

    def told_of_failure(self, data: Json) -> str:
        return "something went wrong"


MUTANTS: tuple[type[Client], ...] = (
    SubmitsAgainWhenTheAnswerIsLost, SubmitsAgainAfterALookAtTheBalance, SubmitsAFailedTaskAgain,
    SubmitsAgainWhenAskingFails, SubmitsTwiceToBeSure, TakesResultJsonForAnObject, FetchesNothing,
    FetchesTheFirstOnly, FetchesAfterSixteenDays, KeepsWhatCame, KeepsHalfAPicture,
    GivesUpOnABrokenDownload, SendsTheKeyToTheHostOfResults, WritesTheKeyIntoTheAddress,
    EndsWellOnAFailure, KeepsTheCodeToItself,
)  # fmt: skip
