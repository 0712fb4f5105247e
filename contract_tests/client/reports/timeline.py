"""The timeline of a case as reports show it: marks on a time axis, and the exchanges in full."""

from collections.abc import Sequence
from typing import Final

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import HttpExchange
from contract_tests.contract.provider import FINAL
from contract_tests.contract.text import writable

MAX_MARKS: Final = 400
_MAX_EXCHANGES: Final = 40
_MAX_BODY: Final = 2_000  # characters
_PLAIN_NAMES: Final = {"outcome steered": "outcome set by a rule"}
_SHOWN_HEADERS: Final = frozenset(
    {"authorization", "content-type", "user-agent", "retry-after", "x-api-key", "range"}
)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One moment on the timeline, in seconds since the first exchange.

    `kind` selects the lane: an operation, `throttled` or `task`. `event` is a number in the
    journal.
    """

    at_s: float
    kind: str
    label: str
    is_good: bool
    event: int | None = None


class ShownExchange(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange as text: `asked` is the request and `told` the response, both shortened."""

    number: int
    at_s: float
    operation: str
    asked: str
    told: str
    injected: str = ""


def marks_of(evidence: Evidence, events: Sequence[int]) -> tuple[Mark, ...]:
    """Return the first `MAX_MARKS` moments, and any later one whose number is in `events`."""
    start_ms, wanted = _start_ms(evidence), frozenset(events)
    marks = [
        _mark(exchange, start_ms)
        for index, exchange in enumerate(evidence.exchanges)
        if index < MAX_MARKS or exchange.number in wanted
    ]
    marks += [
        Mark(
            at_s=(task.ended_ms - start_ms) / 1000,
            kind="task",
            label=writable(f"{task.id} ends: {task.fail_code or task.state}"),
            is_good=task.state == "success",
        )
        for task in evidence.tasks[:MAX_MARKS]
        if task.ended_ms is not None and task.state in FINAL
    ]
    return tuple(sorted(marks, key=lambda mark: mark.at_s))


def shown_exchanges(evidence: Evidence, events: Sequence[int]) -> tuple[ShownExchange, ...]:
    """Return the exchanges in `events`, then the first others, 40 in all, in journal order."""
    wanted = set(events[:_MAX_EXCHANGES])
    for exchange in evidence.exchanges:
        if len(wanted) >= _MAX_EXCHANGES:
            break
        wanted.add(exchange.number)
    start_ms = _start_ms(evidence)
    return tuple(_shown(each, start_ms) for each in evidence.exchanges if each.number in wanted)


def _start_ms(evidence: Evidence) -> int:
    return min((each.at_ms for each in evidence.exchanges), default=0)


def _mark(exchange: HttpExchange, start_ms: int) -> Mark:
    kind = "throttled" if exchange.status == 429 else exchange.operation
    label = f"{exchange.operation} {exchange.shown_status or exchange.error or 'no response'}"
    if state := exchange.payload.get("state"):
        label += f" {state}"
    if exchange.injected:
        label += f" ({_injected(exchange)})"
    return Mark(
        at_s=(exchange.at_ms - start_ms) / 1000,
        kind=writable(kind),
        label=writable(label),
        is_good=exchange.status in {200, 206} and not exchange.is_broken,
        event=exchange.number,
    )


def _shown(exchange: HttpExchange, start_ms: int) -> ShownExchange:
    request_line = f"{exchange.method} {exchange.path}"
    status = exchange.shown_status
    status_line = f"HTTP {status}" if status else exchange.error or "no response"
    return ShownExchange(
        number=exchange.number,
        at_s=(exchange.at_ms - start_ms) / 1000,
        operation=writable(exchange.operation),
        asked=_message(request_line, exchange.headers, exchange.body),
        told=_message(status_line, exchange.response_headers, exchange.response_body),
        injected=writable(_injected(exchange)),
    )


def _injected(exchange: HttpExchange) -> str:
    names = (_PLAIN_NAMES.get(each, each) for each in sorted(exchange.injected))
    return ", ".join(names)


def _message(first_line: str, headers: Sequence[tuple[str, str]], body: str) -> str:
    lines = [first_line]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() in _SHOWN_HEADERS]
    head = "\n".join(filter(None, lines))
    cut = body if len(body) <= _MAX_BODY else f"{body[:_MAX_BODY]}…"
    return writable(f"{head}\n\n{cut}" if cut else head)
