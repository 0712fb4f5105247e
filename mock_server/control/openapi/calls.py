"""The calls of the control plane, path by path."""

from typing import Any, Literal

import msgspec

from mock_server.control import journal_routes, queries, sandbox_routes, waiting
from mock_server.control.audit_routes import FORMATS
from mock_server.control.changes import Advance, ClockChange, Finish, SandboxChange
from mock_server.control.openapi import answers, audit_answers, journal_answers
from mock_server.control.openapi.references import PREFIX, WrittenRule
from mock_server.control.rule_routes import Next, RulesChange
from mock_server.domain.news import Change
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.store import ClockReading

Json = dict[str, Any]
JSON = "application/json"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path. What nearly every call can refuse is not said here."""

    about: str
    answers: tuple[Any, ...] = ()  # types, one of which it is; none: 204
    kind: str = JSON
    other_kinds: tuple[str, ...] = ()  # of text
    body: Any = None  # a type
    needs_body: bool = True
    query: Json = {}  # schemas by name
    refusals: tuple[int, ...] = ()
    too_late: Any = None  # the type of a 408
    events: Json = {}  # types by name
    caller: Literal["anyone", "key", "admin"] = "key"


def _whole(least: int, default: int | None = None) -> Json:
    schema = {"type": "integer", "minimum": least, "maximum": 10**queries.MAX_DIGITS - 1}
    return schema if default is None else schema | {"default": default}


def _timeout(default_s: float) -> Json:
    return {
        "$ref": PREFIX + "Duration",
        "description": f"real time, at most {waiting.LONGEST_S:g} s",
        "default": default_s,
    }


_STATE: Json = {"$ref": PREFIX + "TaskState"}
_FILTERS: Json = {
    "operation": {"$ref": PREFIX + "Operation"},
    "task": {"type": "string", "description": "a task's id"},
    "since": _whole(0) | {"description": "the `seq` of the last entry seen"},
    "limit": _whole(1, journal_routes.DEFAULT_LIMIT),
}
_EVENTS: Json = {
    "submit": journal_answers.JournalEntry,
    "transition": journal_answers.Transition,
    "callback": journal_answers.JournalEntry,
    "request": journal_answers.JournalEntry,
    Change.CLOCK.value: ClockReading,
    Change.SETTINGS.value: journal_answers.Nothing,
    Change.DROPPED.value: journal_answers.Nothing,
}

CALLS: dict[str, dict[str, Call]] = {
    "/_mock/health": {
        "get": Call(about="Is it alive", answers=(answers.Health,), caller="anyone"),
    },
    "/_mock/ready": {
        "get": Call(
            about="Can it serve", answers=(answers.Health,), refusals=(503,), caller="anyone"
        ),
    },
    "/_mock/info": {
        "get": Call(about="How it was started", answers=(answers.Info,), caller="anyone"),
    },
    "/_mock/openapi.json": {
        "get": Call(about="This document", answers=(dict[str, Any],), caller="anyone"),
    },
    "/_mock/metrics": {
        "get": Call(about="Prometheus text", answers=(str,), kind="text/plain", caller="anyone"),
    },
    "/_mock/sandboxes": {
        "get": Call(about="All sandboxes", answers=(answers.ListedSandboxes,), caller="admin"),
        "delete": Call(about="Drop all sandboxes", caller="admin"),
    },
    "/_mock/sandbox": {
        "get": Call(about="Settings and counters", answers=(answers.ShownSandbox,)),
        "patch": Call(
            about="Change settings",
            body=SandboxChange,
            needs_body=False,
            answers=(answers.ShownSandbox,),
        ),
        "delete": Call(about="Drop everything and begin again from the seed"),
    },
    "/_mock/sandbox/snapshot": {
        "get": Call(about="Everything of the sandbox, without its key", answers=(Snapshot,)),
        "put": Call(about="Put a snapshot back", body=Snapshot, refusals=(409,)),
    },
    "/_mock/clock": {
        "get": Call(about="Read the clock", answers=(ClockReading,)),
        "put": Call(
            about="Let time go another way",
            body=ClockChange,
            needs_body=False,
            answers=(ClockReading,),
        ),
    },
    "/_mock/clock/advance": {
        "post": Call(
            about="Move time, and answer when all that fell due has settled",
            body=Advance,
            answers=(answers.Advanced,),
            refusals=(409,),
        ),
    },
    "/_mock/tasks": {
        "get": Call(
            about="The tasks, newest first",
            query={"state": _STATE, "limit": _whole(1, sandbox_routes.DEFAULT_LIMIT)},
            answers=(answers.ShownTasks,),
        ),
    },
    "/_mock/tasks/{task_id}": {
        "get": Call(
            about="A task with its plan and its timeline",
            answers=(answers.TaskDetail,),
            refusals=(404,),
        ),
    },
    "/_mock/tasks/{task_id}/finish": {
        "post": Call(
            about="End a task now",
            body=Finish,
            answers=(answers.TaskDetail,),
            refusals=(404, 409),
        ),
    },
    "/_mock/tasks/{task_id}/wait": {
        "get": Call(
            about="The task, as soon as it has come to this state, or to an end",
            query={"state": _STATE, "timeout": _timeout(sandbox_routes.DEFAULT_TIMEOUT_S)},
            answers=(answers.TaskDetail,),
            refusals=(404,),
            too_late=answers.TaskTooLate,
        ),
    },
    "/_mock/callbacks": {
        "get": Call(about="Every delivery with its attempts", answers=(answers.ShownDeliveries,)),
    },
    "/_mock/rules": {
        "get": Call(about="The rules, in order", answers=(answers.ShownRules,)),
        "put": Call(about="Replace them", body=RulesChange, answers=(answers.ShownRules,)),
        "post": Call(about="Add one, last", body=WrittenRule, answers=(answers.ShownRules,)),
        "delete": Call(about="Remove them", answers=(answers.ShownRules,)),
    },
    "/_mock/next": {
        "get": Call(about="What is queued", answers=(answers.ShownQueue,)),
        "post": Call(
            about="Queue what the next requests or callbacks get, before any rule",
            body=Next,
            answers=(answers.ShownQueue,),
        ),
    },
    "/_mock/journal": {
        "get": Call(
            about="Every exchange: the first after `since`, or else the newest",
            query=_FILTERS | {"format": {"enum": ["json", "har"], "default": "json"}},
            answers=(journal_answers.ShownJournal, journal_answers.HarArchive),
        ),
    },
    "/_mock/journal/count": {
        "post": Call(
            about="How many pass the filters",
            body=journal_routes.Filters,
            needs_body=False,
            answers=(journal_answers.CountedEntries,),
        ),
    },
    "/_mock/journal/wait": {
        "get": Call(
            about="The entries, as soon as there are so many",
            query=_FILTERS
            | {"count": _whole(1, 1), "timeout": _timeout(journal_routes.DEFAULT_TIMEOUT_S)},
            answers=(journal_answers.ShownJournal,),
            too_late=journal_answers.JournalTooLate,
        ),
    },
    "/_mock/audit": {
        "get": Call(
            about="What this key's client does well and badly; by `Accept`, too, a page or JUnit",
            query={"format": {"enum": list(FORMATS), "default": "json"}},
            answers=(audit_answers.ShownAudit,),
            other_kinds=("text/html", "application/xml"),
        ),
    },
    "/_mock/events": {
        "get": Call(
            about="What happens, as server-sent events; `x-events` says what their data is",
            query={"sandbox": {"type": "string", "description": "for a page, which has no key"}},
            answers=(str,),
            kind="text/event-stream",
            events=_EVENTS,
            refusals=(403, 404, 503),
        ),
    },
}
