"""C-LIM-001 to C-LIM-004: how long a client waits after HTTP 429."""

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Final

from contract_tests.client.evidence import Evidence, minimum_wait_s
from contract_tests.client.records import API_OPERATIONS, HttpExchange, Trait
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.streaks import streaks
from contract_tests.contract.text import count

_IMMEDIATE_RETRY_S: Final = 0.1
_GROWTH: Final = 1.5
_LONG_WAIT_S: Final = 10.0
_STREAK: Final = 3
_SHOWN_WAITS: Final = 8

Required = Callable[[HttpExchange], float | None]


def _seconds_required(throttled: HttpExchange) -> float | None:
    """Return the seconds in Retry-After, or None if it has another form."""
    value = throttled.response_header("retry-after")
    return float(value) if value is not None and value.isdecimal() else None


def _seconds_until_date(throttled: HttpExchange) -> float | None:
    """Return the seconds until the date in Retry-After, or None if it has another form.

    The dates have whole seconds, so one second less is enough.
    """
    value = throttled.response_header("retry-after")
    if value is None or value.isdecimal():
        return None
    try:
        until, now = (
            parsedate_to_datetime(each)
            for each in (value, throttled.response_header("date") or value)
        )
        return max(0.0, (until - now).total_seconds() - 1)
    except (ValueError, OverflowError, TypeError):  # TypeError: only one of them has a time zone.
        return None


def _check_retry_after(required: Required) -> Callable[[Evidence], Iterator[Observation]]:
    def check(evidence: Evidence) -> Iterator[Observation]:
        for each in evidence.of(*API_OPERATIONS):
            required_s = required(each) if each.status == 429 else None
            if required_s is not None:
                header = f"Retry-After: {each.response_header('retry-after')}"
                yield from _judge_retry(evidence, each, minimum_wait_s(required_s), header)

    return check


def _check_missing_retry_after(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of(*API_OPERATIONS):
        if each.status == 429 and each.response_header("retry-after") is None:
            yield from _judge_retry(evidence, each, _IMMEDIATE_RETRY_S, "no Retry-After")


def _judge_retry(
    evidence: Evidence, throttled: HttpExchange, minimum_s: float, header: str
) -> Iterator[Observation]:
    retry = evidence.next_attempt(throttled)
    if retry is None:
        is_paid = throttled.operation == "status"
        task = ", although its task continues and is billed" if is_paid else ""
        yield Observation(
            holds=False,
            seen=f"{throttled.operation} not retried{task} ({header})",
            event=throttled.number,
            is_minor=not is_paid,
            excused_by=Trait.NO_RETRY,
        )
        return
    waited_s = evidence.wait_s(throttled, retry)
    if waited_s is not None:
        seen = f"retried after {waited_s:.2f} s ({header})"
        yield Observation(holds=waited_s >= minimum_s, seen=seen, event=retry.number)


def _check_backoff(evidence: Evidence) -> Iterator[Observation]:
    for streak in streaks(evidence, lambda each: each.status == 429):
        next_request = evidence.next_attempt(streak[-1])  # It ends the last wait.
        requests = [*streak, next_request] if next_request else streak
        waits = [evidence.wait_s(earlier, later) for earlier, later in pairwise(requests)]
        known_s = [wait_s for wait_s in waits if wait_s is not None]
        if len(streak) < _STREAK or len(known_s) < len(waits):
            continue
        grows = max(known_s[1:]) >= known_s[0] * _GROWTH
        shown = ", ".join(f"{wait_s:.1f} s" for wait_s in known_s[:_SHOWN_WAITS])
        yield Observation(
            holds=grows or min(known_s) >= minimum_wait_s(_LONG_WAIT_S),
            seen=f"{count(len(streak), '429 response')} in a row, waits: {shown}",
            event=streak[-1].number,
        )


RULES: Final = (
    Rule(
        id="C-LIM-001",
        title="Must wait the seconds in Retry-After after a 429",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="429 response with Retry-After in seconds",
        advice="After a 429, wait the number of seconds in Retry-After, then retry the request.",
        check=_check_retry_after(_seconds_required),
    ),
    Rule(
        id="C-LIM-002",
        title="Must wait until the date in Retry-After after a 429",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="429 response with Retry-After as a date",
        advice="Retry-After may be an HTTP date. Parse it, wait until then, and retry the request.",
        check=_check_retry_after(_seconds_until_date),
    ),
    Rule(
        id="C-LIM-003",
        title="Must wait and retry after a 429 without Retry-After",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="429 response without Retry-After",
        advice="If a 429 has no Retry-After, wait one second, then retry the request. Wait longer "
        "after each further 429.",
        check=_check_missing_retry_after,
    ),
    Rule(
        id="C-LIM-004",
        title="Should wait longer after each 429 in a row",
        clauses=("LIM-1",),
        axis=Axis.MANNERS,
        level=Level.SHOULD,
        event="series of three 429 responses to one request",
        advice="Increase the wait after each 429 in a row, for example double it.",
        check=_check_backoff,
        event_needs=Trait.NO_RETRY,
    ),
)
