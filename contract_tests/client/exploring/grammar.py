"""The kinds of events that a scenario can have, as data.

To add a kind, add a row. Kinds of one operation are listed from the simplest to the most unusual:
shrinking replaces an event by an event of an earlier kind if the client still fails.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

Json = dict[str, Any]

ENDS_SOON: Final = {"pending": "1s", "processing": "17s"}
"""The outcome of a task without an event of its own: a success before the advised first poll."""


class Operation(StrEnum):
    """What an event is about; all but `task` and `client` are operations of the mock."""

    SUBMIT = "submit"
    TASK = "task"
    STATUS = "status"
    CALLBACK = "callback"
    RESULT = "result"
    CLIENT = "client"


class Severity(StrEnum):
    """What a correct client does about an event.

    It notices no `harmless` event, waits after a `throttle`, may retry after a `temporary` event,
    and may give up after a `final` one. An `outcome` decides how a task ends.
    """

    HARMLESS = "harmless"
    THROTTLE = "throttle"
    TEMPORARY = "temporary"
    FINAL = "final"
    OUTCOME = "outcome"


class EventKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of event. `apply` is that of the rule that stages it, in JSON of the mock."""

    name: str
    operation: Operation
    severity: Severity
    about: str
    apply: Mapping[str, Any] = {}
    is_slow: bool = False
    """Whether a correct client may wait for minutes before it gives up."""
    takes_real_time: bool = False
    """Whether the mock waits in real time, whatever the clock of the sandbox says."""
    is_sure_success: bool = False
    """Whether it is a task that succeeds soon enough for every client."""

    @property
    def is_gentle(self) -> bool:
        """Whether a correct client succeeds in spite of it."""
        return self.is_sure_success or self.severity in {Severity.HARMLESS, Severity.THROTTLE}


def _refused(status: int, message: str, **more: object) -> Json:
    return {"refuse": {"status": status, "message": message, **more}}


def _accepted_but(fault: str) -> Json:
    """Return a wire fault of an accepted submit, whose task ends like any other."""
    return {"wire": fault, "outcome": ENDS_SOON}


def _ends(processing: str, **more: str) -> Json:
    return {"outcome": {"pending": "1s", "processing": processing, **more}}


def _submit(name: str, severity: Severity, about: str, apply: Json) -> EventKind:
    return EventKind(
        name=name, operation=Operation.SUBMIT, severity=severity, about=about, apply=apply
    )


def _status(name: str, severity: Severity, about: str, apply: Json) -> EventKind:
    return EventKind(
        name=name, operation=Operation.STATUS, severity=severity, about=about, apply=apply
    )


def _succeeds(after_s: int) -> EventKind:
    return EventKind(
        name=f"task-succeeds-{after_s}s",
        operation=Operation.TASK,
        severity=Severity.OUTCOME,
        about=f"the task succeeds after {after_s} s",
        apply=_ends(f"{after_s - 1}s"),
        is_sure_success=True,
    )


def _violates(after_s: int) -> EventKind:
    return _task(
        f"task-fails-{after_s}s",
        f"the task fails after {after_s} s with CONTENT_VIOLATION",
        _ends(f"{after_s - 1}s", fail="CONTENT_VIOLATION", message="not allowed"),
    )


def _task(name: str, about: str, apply: Json, *, is_slow: bool = False) -> EventKind:
    return EventKind(
        name=name, operation=Operation.TASK, severity=Severity.OUTCOME, about=about, apply=apply,
        is_slow=is_slow,
    )  # fmt: skip


def _callback(
    name: str, severity: Severity, about: str, apply: object, *, is_slow: bool = False
) -> EventKind:
    return EventKind(
        name=name, operation=Operation.CALLBACK, severity=severity, about=about,
        apply={"callback": apply}, is_slow=is_slow,
    )  # fmt: skip


def _result(name: str, severity: Severity, about: str, apply: Json) -> EventKind:
    return EventKind(
        name=name, operation=Operation.RESULT, severity=severity, about=about, apply=apply
    )


def _slow(
    operation: Operation, name: str, severity: Severity, about: str, apply: Json
) -> EventKind:
    return EventKind(
        name=name, operation=operation, severity=severity, about=about, apply=apply,
        takes_real_time=True,
    )  # fmt: skip


def _client(name: str, about: str) -> EventKind:
    return EventKind(name=name, operation=Operation.CLIENT, severity=Severity.HARMLESS, about=about)


_LIMITED: Final = "Rate limit exceeded"

KINDS: Final = (
    _submit("submit-429", Severity.THROTTLE, "the submit gets 429, Retry-After: 5",
            _refused(429, _LIMITED, retry_after=5)),
    _submit("submit-429-no-header", Severity.THROTTLE, "the submit gets 429 without Retry-After",
            _refused(429, _LIMITED)),
    _submit("submit-429-date", Severity.THROTTLE,
            "the submit gets 429, Retry-After is a date 6 s ahead",
            _refused(429, _LIMITED, retry_after="date:6")),
    _submit("submit-400", Severity.FINAL, "the submit gets 400", _refused(400, "Bad request")),
    _submit("submit-402", Severity.FINAL, "the submit gets 402, no credit",
            _refused(402, "Insufficient credits")),
    _submit("submit-500", Severity.TEMPORARY, "the submit gets 500 and is not accepted",
            _refused(500, "Internal error")),
    _submit("submit-503", Severity.TEMPORARY, "the submit gets 503 and is not accepted",
            _refused(503, "Service unavailable")),
    _submit("submit-accepted-502", Severity.FINAL,
            "the submit is accepted, but a proxy answers 502", _accepted_but("html-error")),
    _submit("submit-lost", Severity.FINAL,
            "the submit is accepted, but its response is lost", _accepted_but("close")),
    _submit("submit-truncated", Severity.FINAL,
            "the submit is accepted, but its response is truncated", _accepted_but("half-body")),
    _submit("submit-empty", Severity.FINAL,
            "the submit is accepted, but its response is empty", _accepted_but("empty")),
    _submit("submit-invalid-json", Severity.FINAL,
            "the submit is accepted, but its response is not JSON", _accepted_but("invalid-json")),
    _slow(Operation.SUBMIT, "submit-drips", Severity.HARMLESS,
          "the submit is accepted, and its response arrives byte by byte",
          _accepted_but("dribble")),
    _slow(Operation.SUBMIT, "submit-slow-10s", Severity.FINAL,
          "the submit is accepted, but its response arrives 10 s late",
          {"latency": "10s", "outcome": ENDS_SOON}),
    _slow(Operation.SUBMIT, "submit-slow-40s", Severity.FINAL,
          "the submit is accepted, but its response arrives 40 s late",
          {"latency": "40s", "outcome": ENDS_SOON}),
    *(_succeeds(after_s) for after_s in (2, 22, 25, 28, 31, 34, 40)),
    _task("task-succeeds-poll-2", "the task succeeds at its second status request",
          {"outcome": {"polls": 2}}),
    *(_violates(after_s) for after_s in (2, 22, 25, 28, 31, 34)),
    _task("task-fails-model", "the task fails after 25 s with MODEL_UNAVAILABLE",
          _ends("24s", fail="MODEL_UNAVAILABLE", message="try later")),
    _task("task-fails-poll-2", "the task fails at its second status request",
          {"outcome": {"polls": 2, "fail": "GENERATION_FAILED", "message": "failed"}}),
    _task("task-never-ends", "the task never ends", {"outcome": {"hold": True}}, is_slow=True),
    _status("status-429", Severity.THROTTLE, "the status request gets 429, Retry-After: 5",
            _refused(429, _LIMITED, retry_after=5)),
    _status("status-429-no-header", Severity.THROTTLE,
            "the status request gets 429 without Retry-After", _refused(429, _LIMITED)),
    _status("status-500", Severity.TEMPORARY, "the status request gets 500",
            _refused(500, "Internal error")),
    _status("status-503", Severity.TEMPORARY, "the status request gets 503",
            _refused(503, "Service unavailable")),
    _status("status-502", Severity.TEMPORARY, "a proxy answers the status request with 502",
            {"wire": "html-error"}),
    _status("status-lost", Severity.TEMPORARY, "the status response is lost", {"wire": "close"}),
    _status("status-reset", Severity.TEMPORARY, "the status request is reset", {"wire": "reset"}),
    _status("status-truncated", Severity.TEMPORARY, "the status response is truncated",
            {"wire": "half-body"}),
    _status("status-empty", Severity.TEMPORARY, "the status response is empty",
            {"wire": "empty"}),
    _status("status-invalid-json", Severity.TEMPORARY, "the status response is not JSON",
            {"wire": "invalid-json"}),
    _status("status-unknown-state", Severity.TEMPORARY, "the status has an unknown state",
            {"meaning": "unknown-state"}),
    _status("status-unknown-members", Severity.HARMLESS, "the status has unknown members",
            {"meaning": "unknown-members"}),
    _status("status-member-order", Severity.HARMLESS,
            "the status has its members in another order", {"meaning": "member-order"}),
    _status("status-late", Severity.HARMLESS,
            "the status still says processing although the task has ended",
            {"meaning": "final-late"}),
    _status("status-no-urls", Severity.TEMPORARY, "the status of a success has no addresses",
            {"meaning": "result-urls-empty"}),
    _status("status-bad-result", Severity.TEMPORARY,
            "the status of a success has a malformed resultJson",
            {"meaning": "result-json-malformed"}),
    _status("status-404", Severity.FINAL, "the status request gets 404",
            _refused(404, "Task not found")),
    _slow(Operation.STATUS, "status-drips", Severity.HARMLESS,
          "the status response arrives byte by byte", {"wire": "dribble"}),
    _slow(Operation.STATUS, "status-slow-40s", Severity.TEMPORARY,
          "the status response arrives 40 s late", {"latency": "40s"}),
    _callback("callback-twice", Severity.HARMLESS, "the callback arrives twice", {"duplicate": 1}),
    _callback("callback-early", Severity.HARMLESS,
              "the callback arrives before the submit is answered", "before-answer"),
    _callback("callback-late-5s", Severity.HARMLESS, "the callback arrives 5 s late",
              {"delay": "5s"}),
    _callback("callback-late-60s", Severity.TEMPORARY, "the callback arrives 60 s late",
              {"delay": "60s"}),
    _callback("callback-forged", Severity.HARMLESS,
              "a callback for an unknown task arrives first", "forged-id"),
    _callback("callback-both", Severity.FINAL,
              "a callback with the opposite state arrives first", "both"),
    _callback("callback-garbage", Severity.TEMPORARY, "a malformed callback arrives", "garbage",
              is_slow=True),
    _callback("callback-lost", Severity.TEMPORARY, "the callback is lost", "drop", is_slow=True),
    _result("result-500", Severity.TEMPORARY, "the download gets 500",
            _refused(500, "Internal error")),
    _result("result-503", Severity.TEMPORARY, "the download gets 503",
            _refused(503, "Service unavailable")),
    _result("result-lost", Severity.TEMPORARY, "the download is lost", {"wire": "close"}),
    _result("result-interrupted", Severity.TEMPORARY, "the download is interrupted",
            {"wire": "half-body"}),
    _result("result-truncated", Severity.TEMPORARY, "the download is a truncated image",
            {"meaning": "result-truncated"}),
    _result("result-html", Severity.TEMPORARY, "the download is an HTML page with status 200",
            {"meaning": "result-wrong-type"}),
    _result("result-404", Severity.FINAL, "the download gets 404", {"meaning": "result-missing"}),
    _result("result-410", Severity.FINAL, "the download gets 410, expired",
            {"meaning": "result-expired"}),
    _slow(Operation.RESULT, "result-drips", Severity.HARMLESS,
          "the download begins byte by byte", {"wire": "dribble"}),
    _slow(Operation.RESULT, "result-slow-40s", Severity.TEMPORARY,
          "the download begins 40 s late", {"latency": "40s"}),
    _client("restart-after-submit",
            "the client is stopped after its submit was answered, and started again"),
    _client("restart-after-status",
            "the client is stopped after its first status request, and started again"),
)  # fmt: skip

RESTART_AFTER: Final = {
    "restart-after-submit": Operation.SUBMIT,
    "restart-after-status": Operation.STATUS,
}
"""The operation of which a response stops the client, by the name of the event."""
BY_NAME: Final[Mapping[str, EventKind]] = {each.name: each for each in KINDS}
RANKS: Final[Mapping[str, int]] = {each.name: rank for rank, each in enumerate(KINDS)}
