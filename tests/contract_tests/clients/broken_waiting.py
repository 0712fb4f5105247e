"""Mutants of C-POLL and C-LIM: they poll or retry too early, too often or for too long."""

from math import inf

import httpx

from tests.contract_tests.clients.good import Batch, Client, Json


class PollsAfterHalfASecond(Client):
    violates = "C-POLL-001"
    first_poll_s = 0.5


class PollsAfterTenSeconds(Client):
    violates = "C-POLL-001"
    first_poll_s = 10.0


class PollsEvery200Ms(Client):
    violates = "C-POLL-002"
    interval_s = 0.2


class PollsEvery2S(Client):
    violates = "C-POLL-002"
    interval_s = 2.0


class PollsFiveTimesAfterTheEnd(Client):
    violates = "C-POLL-003"
    times = 5

    def wait_for_end(self, task_id: str) -> Json:
        data = super().wait_for_end(task_id)
        for _ in range(self.times):
            self.sleep(self.interval_s)
            self.poll(task_id)
        return data


class PollsOnceAfterTheEnd(PollsFiveTimesAfterTheEnd):
    times = 1


class NeverGivesUp(Client):
    violates = "C-POLL-004"
    deadline_s = inf


class CrashesOnAnUnknownState(Client):
    violates = "C-POLL-005"

    def is_final(self, data: Json) -> bool:
        return {"pending": False, "processing": False, "success": True, "failed": True}[
            data["state"]
        ]


class TreatsAnUnknownStateAsFinal(Client):
    violates = "C-POLL-005"

    def is_final(self, data: Json) -> bool:
        return data["state"] not in {"pending", "processing"}


class PollsAnotherTask(Client):
    violates = "C-POLL-006"

    def status_request(self, task_id: str) -> httpx.Request:
        return super().status_request("task_0123456789abcdef0123456789abcdef")


class IgnoresSecondsInRetryAfter(Client):
    violates = "C-LIM-001"

    def pause_for_seconds(self, written: str) -> float:
        return 1.0


class IgnoresTheDateInRetryAfter(Client):
    violates = "C-LIM-002"

    def pause_until(self, date: str, now: str) -> float:
        return 1.0


class ParsesADateAsANumber(Client):
    violates = "C-LIM-002"

    def pause_until(self, date: str, now: str) -> float:
        raise TypeError(f"429, not a number: {date}")


class RetriesAtOnce(Client):
    """Its wait grows, but starts far too short."""

    violates = "C-LIM-003"

    def pause_without_header(self, attempts: int) -> float | None:
        return 0.025 * self.backoff_s(attempts)


class GivesUpWithoutRetryAfter(Client):
    violates = "C-LIM-003"

    def pause_without_header(self, attempts: int) -> float | None:
        return None


class NeverIncreasesTheWait(Client):
    violates = "C-LIM-004"

    def pause_without_header(self, attempts: int) -> float | None:
        return 1.0


class _Retries(Client):
    on = 0
    times = 3

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if answer.status_code == self.on and attempts < self.times:
            return 1.0
        return super().pause_after_rejection(operation, answer, attempts)


class Retries400(_Retries):
    violates = "C-LIM-005"
    on = 400


class Retries401(_Retries):
    violates = "C-LIM-005"
    on = 401


class Retries404(_Retries):
    violates = "C-LIM-005"
    on = 404


class Retries503FiftyTimes(_Retries):
    violates = "C-LIM-006"
    on = 503
    times = 50


class Retries500FiftyTimes(_Retries):
    """It does so for status requests only: a submit may have been accepted."""

    violates = "C-LIM-006"
    on = 500
    times = 50

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if operation == "submit" and answer.status_code == self.on:
            return None
        return super().pause_after_rejection(operation, answer, attempts)


class RunsMoreThanAThousandTasks(Batch):
    violates = "C-LIM-007"
    at_once = 1001


class Retries403(_Retries):
    violates = "C-LIM-005"
    on = 403


class GivesUpOnAThrottledStatusRequest(Client):
    violates = "C-LIM-001"

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if operation == "status" and answer.status_code == 429:
            return None
        return super().pause_after_rejection(operation, answer, attempts)


class DoublesTheInterval(Client):
    violates = "C-POLL-007"
    deadline_s = 600.0
    time_budget_s = 900.0

    def poll(self, task_id: str) -> Json:
        self.interval_s *= 2
        return super().poll(task_id)


class PollsAfterAFailure(Client):
    violates = "C-POLL-003"

    def fail(self, data: Json) -> None:
        for _ in range(3):
            self.sleep(self.interval_s)
            self.poll(data["taskId"])
        super().fail(data)


MUTANTS: tuple[type[Client], ...] = (
    PollsAfterHalfASecond, PollsAfterTenSeconds, PollsEvery200Ms, PollsEvery2S,
    PollsFiveTimesAfterTheEnd, PollsOnceAfterTheEnd, NeverGivesUp, CrashesOnAnUnknownState,
    TreatsAnUnknownStateAsFinal, PollsAnotherTask, IgnoresSecondsInRetryAfter,
    IgnoresTheDateInRetryAfter,
    ParsesADateAsANumber, RetriesAtOnce, GivesUpWithoutRetryAfter, NeverIncreasesTheWait,
    Retries400, Retries401, Retries404, Retries503FiftyTimes, Retries500FiftyTimes,
    RunsMoreThanAThousandTasks,
    Retries403, GivesUpOnAThrottledStatusRequest, DoublesTheInterval, PollsAfterAFailure,
)  # fmt: skip
