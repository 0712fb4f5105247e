"""What happened in a case, as a report shows it: marks on a time axis, and the exchanges."""

from collections.abc import Sequence
from typing import Final

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Exchange
from contract_tests.contract.provider import FINAL
from contract_tests.contract.text import writable

MARKS: Final = 400
_EXCHANGES: Final = 40
_BODY_SHOWN: Final = 2_000  # characters
_HEADERS: Final = frozenset(
    {"authorization", "content-type", "user-agent", "retry-after", "x-api-key", "range"}
)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A moment: seconds since the first one; `kind` is the lane that it is drawn in.

    `kind` is an operation, throttled or task; `event` a number in the journal.
    """

    at_s: float
    kind: str
    label: str
    is_good: bool
    event: int | None = None


class ShownExchange(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    at_s: float
    operation: str
    asked: str
    told: str
    injected: str = ""


def marks_of(evidence: Evidence, wanted: Sequence[int]) -> tuple[Mark, ...]:
    """Mark the first moments, and of the later ones those that findings refer to."""
    start_ms, later = _start_ms(evidence), frozenset(wanted)
    marks = [
        _mark(each, start_ms)
        for place, each in enumerate(evidence.exchanges)
        if place < MARKS or each.number in later
    ]
    marks += [
        Mark(
            at_s=(task.ended_ms - start_ms) / 1000,
            kind="task",
            label=writable(f"{task.id} ends: {task.fail_code or task.state}"),
            is_good=task.state == "success",
        )
        for task in evidence.tasks[:MARKS]
        if task.ended_ms is not None and task.state in FINAL
    ]
    return tuple(sorted(marks, key=lambda mark: mark.at_s))


def shown_of(evidence: Evidence, wanted: Sequence[int]) -> tuple[ShownExchange, ...]:
    """Show those that findings refer to, and of the others the first ones that fit."""
    chosen = set(wanted[:_EXCHANGES])
    for each in evidence.exchanges:
        if len(chosen) >= _EXCHANGES:
            break
        chosen.add(each.number)
    start_ms = _start_ms(evidence)
    return tuple(_shown(each, start_ms) for each in evidence.exchanges if each.number in chosen)


def _start_ms(evidence: Evidence) -> int:
    return min((each.at_ms for each in evidence.exchanges), default=0)


def _mark(exchange: Exchange, start_ms: int) -> Mark:
    kind = "throttled" if exchange.status == 429 else exchange.operation
    label = f"{exchange.operation} {exchange.status or exchange.error or 'no answer'}"
    if state := exchange.told.get("state"):
        label += f" {state}"
    if exchange.injected:
        label += f" ({', '.join(sorted(exchange.injected))})"
    return Mark(
        at_s=(exchange.at_ms - start_ms) / 1000,
        kind=writable(kind),
        label=writable(label),
        is_good=exchange.status in {200, 206} and not exchange.is_broken,
        event=exchange.number,
    )


def _shown(exchange: Exchange, start_ms: int) -> ShownExchange:
    headers = "\n".join(
        f"{name}: {value}" for name, value in exchange.headers if name.lower() in _HEADERS
    )
    told = [f"HTTP {exchange.status}" if exchange.status else exchange.error or "no answer"]
    told += [f"{n}: {v}" for n, v in exchange.answer_headers if n.lower() in _HEADERS]
    return ShownExchange(
        number=exchange.number,
        at_s=(exchange.at_ms - start_ms) / 1000,
        operation=writable(exchange.operation),
        asked=_text(f"{exchange.method} {exchange.path}", headers, exchange.body),
        told=_text("\n".join(told), "", exchange.answer_body),
        injected=writable(", ".join(sorted(exchange.injected))),
    )


def _text(first: str, headers: str, body: str) -> str:
    cut = body if len(body) <= _BODY_SHOWN else f"{body[:_BODY_SHOWN]}…"
    head = "\n".join(filter(None, (first, headers)))
    return writable(f"{head}\n\n{cut}" if cut else head)
