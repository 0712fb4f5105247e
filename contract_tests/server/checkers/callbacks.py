"""CB-1, CB-2, CB-6: the content of every callback, and for which tasks there is one."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from contract_tests.contract.redaction import HIDDEN
from contract_tests.server.checkers.json_values import members_of
from contract_tests.server.checkers.shown import shown_callback, told
from contract_tests.server.checkers.trace import Callback, Task, Trace
from contract_tests.server.checkers.views import FINAL
from contract_tests.server.checkers.violation import Violation

_SIGNED: Final = re.compile(
    r"signature|hmac|digest|authorization|token|api-?key|^x-hub-|^svix-|^webhook-"
)
_MOVED: Final = "-moved"  # The target of a redirect by the kit's receiver.


def check_callbacks(trace: Trace) -> Iterator[Violation]:
    """Judge each delivery by itself, and compare it with the status responses of its task."""
    by_name: dict[str, list[Task]] = {}
    for task in trace.tasks:
        if task.order.callback_name is not None:
            by_name.setdefault(task.order.callback_name, []).append(task)
    is_plain = all(sandbox.is_plain for sandbox in trace.sandboxes)
    for callback in trace.callbacks:
        named = by_name.get(callback.name, ())
        if is_plain or (callback.task is not None and callback.task.sandbox.is_plain):
            yield from _address(callback, named)
            yield from _form(callback)
            yield from _secrets(callback)
    for task in trace.tasks:
        if task.sandbox.is_plain and task.callbacks:
            yield from _content(trace, task)


def _address(callback: Callback, named: Sequence[Task]) -> Iterator[Violation]:
    if callback.name.endswith(_MOVED):
        yield _violation("CB-2", "redirect", "a redirect is not followed, but retried", callback)
    elif not named:
        expected = "callbacks at a callback_url of an accepted submit only"
        yield _violation("CB-1", "address", expected, callback)
    elif callback.task is None or callback.task.order.callback_name != callback.name:
        ids = " or ".join(task.id for task in named[:3])
        yield _violation("CB-1", "task", f"a callback here is about the task {ids}", callback)
    elif not callback.task.order.is_callback:
        expected = "no callback, because request_type is not callback"
        yield _violation("CB-1", "async", expected, callback)


def _form(callback: Callback) -> Iterator[Violation]:
    delivery = callback.delivery
    kind = (callback.header("Content-Type") or "").partition(";")[0].strip().lower()
    if delivery.method != "POST" or kind != "application/json":
        yield Violation(
            clause="CB-1",
            kind="form",
            expected="a POST with Content-Type: application/json",
            seen=f"{delivery.method} with Content-Type: {kind or 'none'}",
            event=callback.number,
        )


def _secrets(callback: Callback) -> Iterator[Violation]:
    delivery = callback.delivery
    signed = sorted(name for name, _ in delivery.headers if _SIGNED.search(name.lower()))
    has_key = (
        HIDDEN in callback.name
        or HIDDEN.encode() in delivery.body
        or any(HIDDEN in name + value for name, value in delivery.headers)
    )
    if signed or has_key:
        names = ", ".join(signed) or "the API key"
        yield Violation(
            clause="CB-6",
            kind="secrets",
            expected="no header with a signature or a secret, and no API key",
            seen=f"a callback at {callback.name} with {names}",
            event=callback.number,
        )


def _content(trace: Trace, task: Task) -> Iterator[Violation]:
    first = task.finals[0] if task.finals else None
    wanted = first.json if first is not None else task.callbacks[0].json
    for callback in task.callbacks:
        yield from _early(task, callback)
        envelope = members_of(callback.json)
        is_final = callback.members.get("state") in FINAL
        if envelope.get("code") != 200 or envelope.get("message") != "success" or not is_final:
            expected = "the envelope of a final status response: code 200, message success"
            yield _violation("CB-1", "envelope", expected, callback)
        elif not _is_same(callback.json, wanted):
            expected = "the same as in the first callback"
            if first is not None:
                expected = f"the same as the status response: {told(first)}"
            clause = "CB-1" if first is not None or not trace.has_control else "CB-4"
            yield _violation(clause, "content", expected, callback)


def _early(task: Task, callback: Callback) -> Iterator[Violation]:
    """Report a callback after whose arrival a status response still said unfinished."""
    at_ms, seen = callback.delivery.at_ms, task.last_unfinished
    if at_ms and seen is not None and seen.response.sent_ms > at_ms:
        expected = "no callback before the task has ended"
        yield Violation(
            clause="CB-1",
            kind="early",
            expected=expected,
            seen=f"{shown_callback(callback)}, and then {told(seen)}",
            event=seen.number,
        )


def _is_same(one: object, other: object) -> bool:
    try:
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    except (TypeError, ValueError):
        return one is other


def _violation(clause: str, kind: str, expected: str, callback: Callback) -> Violation:
    return Violation(
        clause=clause,
        kind=kind,
        expected=expected,
        seen=shown_callback(callback),
        event=callback.number,
    )
