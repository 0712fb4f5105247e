"""Mutants of C-CB: they handle callbacks wrongly."""

import json
import time
from math import inf

from tests.contract_tests.clients.good import Client, Failure, Json, Listener


class AnswersCallbacks500(Listener):
    violates = "C-CB-001"

    def receive(self, body: bytes) -> int:
        super().receive(body)
        return 500


class AnswersCallbacks202(Listener):
    violates = "C-CB-001"

    def receive(self, body: bytes) -> int:
        return 202 if super().receive(body) == 200 else 400


class AnswersCallbacksTooLate(Listener):
    """Processes the result before it answers, for longer than the mock waits in real time."""

    violates = "C-CB-001"
    only_in = ("A-CB-001",)
    work_s = 2.5

    def receive(self, body: bytes) -> int:
        status = super().receive(body)
        time.sleep(self.work_s)
        return status


class DownloadsForEachCallback(Listener):
    violates = "C-CB-002"

    def finish(self, data: Json) -> None:
        for each in self.received:
            if self.is_mine(data["taskId"], each):
                super().finish(each)


class DropsEarlyCallbacks(Listener):
    violates = "C-CB-003"

    def wait_for_end(self, task_id: str) -> Json:
        self.received.clear()
        return super().wait_for_end(task_id)


class WaitsEightSecondsForACallback(Listener):
    """Waits longer once any callback has arrived."""

    violates = "C-CB-004"
    first_callback_s = 8.0
    has_received = False

    def receive(self, body: bytes) -> int:
        self.has_received = True
        return super().receive(body)

    def sleep_for_callback(self, waited_s: float) -> None:
        if waited_s >= self.first_callback_s and not self.has_received:
            raise Failure("no callback has arrived")
        super().sleep_for_callback(waited_s)


class WaitsForeverForACallback(Listener):
    violates = "C-CB-005"
    deadline_s = inf


class ReportsSuccessWithoutACallback(Listener):
    violates = "C-CB-005"

    def handle_timeout(self, task_id: str) -> Json:
        return {"state": "success", "resultJson": '{"resultUrls": []}'}

    def result_urls(self, data: Json) -> list[str]:
        found: list[str] = json.loads(data["resultJson"])["resultUrls"]
        return found


class AcceptsAnyCallback(Listener):
    violates = "C-CB-006"

    def is_mine(self, task_id: str, data: Json) -> bool:
        return True


class PrintsEveryCallback(Listener):
    """Shows the result of each delivery, and downloads nothing."""

    violates = "C-CB-002"
    only_in = ("A-CB-002",)

    def finish(self, data: Json) -> None:
        for each in self.received:
            self.output += self.result_urls(each)


class PrintsEveryTaskThatItHearsOf(Listener):
    violates = "C-CB-006"

    def receive(self, body: bytes) -> int:
        status = super().receive(body)
        if status == 200 and self.received[-1]["state"] == "success":
            self.output.append(f"{self.received[-1]['taskId']} is ready")
        return status


class DownloadsEveryTaskThatItHearsOf(Listener):
    violates = "C-CB-006"
    only_in = ("A-CB-006",)
    stores_files = False

    def finish(self, data: Json) -> None:
        for address in {url for each in self.received for url in self.result_urls(each)}:
            self.fetch(address)
        super().finish(data)


class CrashesOnAForgedId(Listener):
    violates = "C-CB-006"

    def is_mine(self, task_id: str, data: Json) -> bool:
        return {task_id: True}[data["taskId"]]


class CrashesOnAMalformedCallback(Listener):
    violates = "C-CB-007"
    has_crashed = False

    def answer_to_garbage(self, body: bytes) -> int:
        self.has_crashed = True
        return super().answer_to_garbage(body)

    def sleep_for_callback(self, waited_s: float) -> None:
        super().sleep_for_callback(waited_s)
        if self.has_crashed:
            raise ValueError("not JSON")


class AcceptsAMalformedCallback(Listener):
    violates = "C-CB-007"

    def answer_to_garbage(self, body: bytes) -> int:
        return 200


class IgnoresAFailureInACallback(Listener):
    violates = "C-CB-008"

    def fail(self, data: Json) -> None:
        self.output.append(self.failure_message(data))


MUTANTS: tuple[type[Client], ...] = (
    AnswersCallbacks500, AnswersCallbacks202, AnswersCallbacksTooLate, DownloadsForEachCallback,
    DropsEarlyCallbacks, WaitsEightSecondsForACallback, WaitsForeverForACallback,
    ReportsSuccessWithoutACallback, AcceptsAnyCallback, PrintsEveryCallback,
    PrintsEveryTaskThatItHearsOf, DownloadsEveryTaskThatItHearsOf, CrashesOnAForgedId,
    CrashesOnAMalformedCallback, AcceptsAMalformedCallback, IgnoresAFailureInACallback,
)  # fmt: skip
