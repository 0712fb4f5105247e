"""Mutants of C-CB: what they do with callbacks goes wrong."""

import time
from math import inf

from tests.contract_tests.clients.good import Client, Failure, Json, Listener


class AnswersCallbacks500(Listener):
    breaks = "C-CB-001"

    def take(self, body: bytes) -> int:
        super().take(body)
        return 500


class AnswersCallbacks202(Listener):
    breaks = "C-CB-001"

    def take(self, body: bytes) -> int:
        return 202 if super().take(body) == 200 else 400


class AnswersCallbacksTooLate(Listener):
    """Does its work before it answers: longer than the mock of the tests waits, in real time."""

    breaks = "C-CB-001"
    only = ("A-CB-001",)
    work_s = 2.5

    def take(self, body: bytes) -> int:
        status = super().take(body)
        time.sleep(self.work_s)
        return status


class FetchesForEachCallback(Listener):
    breaks = "C-CB-002"

    def finish(self, data: Json) -> None:
        for each in self.told:
            if self.is_mine(data["taskId"], each):
                super().finish(each)


class LosesEarlyCallbacks(Listener):
    breaks = "C-CB-003"

    def awaited(self, task_id: str) -> Json:
        self.told.clear()
        return super().awaited(task_id)


class WaitsEightSecondsForAFirstSign(Listener):
    """Is patient as soon as anything at all has come."""

    breaks = "C-CB-004"
    sign_s = 8.0
    has_sign = False

    def take(self, body: bytes) -> int:
        self.has_sign = True
        return super().take(body)

    def sleep_for_callback(self, waited_s: float) -> None:
        if waited_s >= self.sign_s and not self.has_sign:
            raise Failure("there is no sign of a callback")
        super().sleep_for_callback(waited_s)


class WaitsForCallbacksForEver(Listener):
    breaks = "C-CB-005"
    patience_s = inf


class TakesSilenceForSuccess(Listener):
    breaks = "C-CB-005"

    def untold(self, task_id: str) -> Json:
        return {"state": "success", "resultJson": '{"resultUrls": []}'}


class TakesAnyCallbackForItsOwn(Listener):
    breaks = "C-CB-006"

    def is_mine(self, task_id: str, data: Json) -> bool:
        return True


class DiesOfAForgedId(Listener):
    breaks = "C-CB-006"

    def is_mine(self, task_id: str, data: Json) -> bool:
        return {task_id: True}[data["taskId"]]


class DiesOfGarbage(Listener):
    breaks = "C-CB-007"
    is_dead = False

    def status_of_garbage(self, body: bytes) -> int:
        self.is_dead = True
        return super().status_of_garbage(body)

    def sleep_for_callback(self, waited_s: float) -> None:
        super().sleep_for_callback(waited_s)
        if self.is_dead:
            raise ValueError("no JSON")


class SaysYesToGarbage(Listener):
    breaks = "C-CB-007"

    def status_of_garbage(self, body: bytes) -> int:
        return 200


class EndsWellOnACallbackOfAFailure(Listener):
    breaks = "C-CB-008"

    def fail(self, data: Json) -> None:
        self.output.append(self.told_of_failure(data))


MUTANTS: tuple[type[Client], ...] = (
    AnswersCallbacks500, AnswersCallbacks202, AnswersCallbacksTooLate, FetchesForEachCallback,
    LosesEarlyCallbacks, WaitsEightSecondsForAFirstSign, WaitsForCallbacksForEver,
    TakesSilenceForSuccess, TakesAnyCallbackForItsOwn, DiesOfAForgedId, DiesOfGarbage,
    SaysYesToGarbage, EndsWellOnACallbackOfAFailure,
)  # fmt: skip
