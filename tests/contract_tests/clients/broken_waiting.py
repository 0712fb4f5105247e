"""Mutants of C-POLL and C-LIM: they ask too early, too often, too long, or for the wrong thing."""

from math import inf

import httpx

from tests.contract_tests.clients.good import Batch, Client, Json


class AsksAfterHalfASecond(Client):
    breaks = "C-POLL-001"
    first_s = 0.5


class AsksAfterTenSeconds(Client):
    breaks = "C-POLL-001"
    first_s = 10.0


class AsksEvery200Ms(Client):
    breaks = "C-POLL-002"
    every_s = 0.2


class AsksEvery2S(Client):
    breaks = "C-POLL-002"
    every_s = 2.0


class AsksOnAfterTheEnd(Client):
    breaks = "C-POLL-003"
    times = 5

    def awaited(self, task_id: str) -> Json:
        data = super().awaited(task_id)
        for _ in range(self.times):
            self.sleep(self.every_s)
            self.look(task_id)
        return data


class AsksOnceMoreAfterTheEnd(AsksOnAfterTheEnd):
    times = 1


class NeverGivesUp(Client):
    breaks = "C-POLL-004"
    patience_s = inf


class DiesAtAnUnknownState(Client):
    breaks = "C-POLL-005"

    def is_over(self, data: Json) -> bool:
        return {"pending": False, "processing": False, "success": True, "failed": True}[
            data["state"]
        ]


class TakesAnUnknownStateForTheEnd(Client):
    breaks = "C-POLL-005"

    def is_over(self, data: Json) -> bool:
        return data["state"] not in {"pending", "processing"}


class AsksForAnotherTask(Client):
    breaks = "C-POLL-006"

    def status_request(self, task_id: str) -> httpx.Request:
        return super().status_request("task_0123456789abcdef0123456789abcdef")


class WaitsASecondWhateverSecondsSay(Client):
    breaks = "C-LIM-001"

    def pause_of_seconds(self, written: str) -> float:
        return 1.0


class WaitsASecondWhateverTheDateSays(Client):
    breaks = "C-LIM-002"

    def pause_until(self, date: str, now: str) -> float:
        return 1.0


class TakesADateForANumber(Client):
    breaks = "C-LIM-002"

    def pause_until(self, date: str, now: str) -> float:
        raise TypeError(f"no number: {date}")


class TriesAgainAtOnce(Client):
    """Its wait grows, from next to nothing."""

    breaks = "C-LIM-003"

    def pause_untold(self, tries: int) -> float | None:
        return 0.025 * self.growing_s(tries)


class GivesUpWhenNotToldHowLong(Client):
    breaks = "C-LIM-003"

    def pause_untold(self, tries: int) -> float | None:
        return None


class WaitsASecondEachTime(Client):
    breaks = "C-LIM-004"

    def pause_untold(self, tries: int) -> float | None:
        return 1.0


class _Insists(Client):
    on = 0
    times = 3

    def pause_after_refusal(
        self, operation: str, answer: httpx.Response, tries: int
    ) -> float | None:
        if answer.status_code == self.on and tries < self.times:
            return 1.0
        return super().pause_after_refusal(operation, answer, tries)


class InsistsOn400(_Insists):
    breaks = "C-LIM-005"
    on = 400


class InsistsOn401(_Insists):
    breaks = "C-LIM-005"
    on = 401


class InsistsOn404(_Insists):
    breaks = "C-LIM-005"
    on = 404


class Storms503(_Insists):
    breaks = "C-LIM-006"
    on = 503
    times = 50


class Storms500(_Insists):
    breaks = "C-LIM-006"
    on = 500
    times = 50


class HasMoreThanAThousandTasks(Batch):
    breaks = "C-LIM-007"
    at_once = 1001


MUTANTS: tuple[type[Client], ...] = (
    AsksAfterHalfASecond, AsksAfterTenSeconds, AsksEvery200Ms, AsksEvery2S, AsksOnAfterTheEnd,
    AsksOnceMoreAfterTheEnd, NeverGivesUp, DiesAtAnUnknownState, TakesAnUnknownStateForTheEnd,
    AsksForAnotherTask, WaitsASecondWhateverSecondsSay, WaitsASecondWhateverTheDateSays,
    TakesADateForANumber, TriesAgainAtOnce, GivesUpWhenNotToldHowLong, WaitsASecondEachTime,
    InsistsOn400, InsistsOn401, InsistsOn404, Storms503, Storms500, HasMoreThanAThousandTasks,
)  # fmt: skip
