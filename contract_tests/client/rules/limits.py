"""C-LIM: what a client does when it is told to wait, or no."""

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Final

from contract_tests.client.evidence import Evidence, least_s
from contract_tests.client.exchange import Exchange
from contract_tests.client.rule import Axis, Level, Look, Rule

_API: Final = ("submit", "status", "balance")
_MOST_TASKS: Final = 1000  # LIM-2
_MOST_TRIES: Final = 10
_AT_ONCE_S: Final = 0.1
_GROWTH: Final = 1.5
_PATIENT_S: Final = 10.0
_REPEATED: Final = 3


def _seconds(throttled: Exchange) -> float | None:
    written = throttled.answer_header("retry-after")
    return float(written) if written is not None and written.isdecimal() else None


def _date(throttled: Exchange) -> float | None:
    """Return the seconds to a date, whose parts are whole: one second less will do."""
    written = throttled.answer_header("retry-after")
    if written is None or written.isdecimal():
        return None
    try:
        until, now = (
            parsedate_to_datetime(each)
            for each in (written, throttled.answer_header("date") or written)
        )
        return max(0.0, (until - now).total_seconds() - 1)
    except (ValueError, OverflowError, TypeError):  # TypeError: one of them has no zone
        return None


def _heeds(wanted: Callable[[Exchange], float | None]) -> Callable[[Evidence], Iterator[Look]]:
    def look(evidence: Evidence) -> Iterator[Look]:
        for each in evidence.of(*_API):
            wanted_s = wanted(each) if each.status == 429 else None
            if wanted_s is not None:
                header = f"Retry-After: {each.answer_header('retry-after')}"
                yield from _after_429(evidence, each, least_s(wanted_s), header)

    return look


def _copes_without(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of(*_API):
        if each.status == 429 and each.answer_header("retry-after") is None:
            yield from _after_429(evidence, each, _AT_ONCE_S, "no Retry-After")


def _after_429(
    evidence: Evidence, throttled: Exchange, least: float, header: str
) -> Iterator[Look]:
    later = evidence.next_of_kind(throttled)
    if later is None:
        seen = f"{header}: did not try again"
        yield Look(holds=False, seen=seen, event=throttled.number, is_minor=True)
        return
    waited_s = evidence.waited_s(throttled, later)
    if waited_s is not None:
        seen = f"{header}: tried again after {waited_s:.2f} s"
        yield Look(holds=waited_s >= least, seen=seen, event=later.number)


def _backs_off(evidence: Evidence) -> Iterator[Look]:
    for run in _runs(evidence, lambda each: each.status == 429):
        after = evidence.next_of_kind(run[-1])  # it shows the last wait
        asked = [*run, after] if after else run
        waits = [evidence.waited_s(earlier, later) for earlier, later in pairwise(asked)]
        known = [wait for wait in waits if wait is not None]
        if len(run) < _REPEATED or len(known) < len(waits):
            continue
        seen = "waited " + ", ".join(f"{wait:.1f}" for wait in known[:8]) + " s"
        grows = max(known[1:]) >= known[0] * _GROWTH or min(known) >= least_s(_PATIENT_S)
        yield Look(holds=grows, seen=seen, event=run[-1].number)


def _takes_no(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of(*_API):
        if each.status not in {400, 401, 404}:
            continue
        again = evidence.repeated(each)
        seen = f"{each.status} on {each.operation}: sent {len(again)} times again"
        event = again[0].number if again else each.number
        yield Look(holds=not again, seen=seen, event=event)


def _no_storm(evidence: Evidence) -> Iterator[Look]:
    for run in _runs(evidence, lambda each: 500 <= each.status <= 599):
        seen = f"{len(run)} tries of {run[0].operation} in a row that were answered 5xx"
        yield Look(holds=len(run) <= _MOST_TRIES, seen=seen, event=run[-1].number)


def _runs(evidence: Evidence, is_bad: Callable[[Exchange], bool]) -> Iterator[list[Exchange]]:
    """Yield bad answers to one operation about one thing, as they follow on one another."""
    things = dict.fromkeys((each.operation, each.path) for each in evidence.of(*_API))
    for operation, path in things:
        run: list[Exchange] = []
        for each in evidence.of(operation):
            if each.path != path:
                continue
            if is_bad(each):
                run.append(each)
            elif run:
                yield run
                run = []
        if run:
            yield run


def _not_too_many(evidence: Evidence) -> Iterator[Look]:
    changes = sorted(
        change
        for task in evidence.tasks
        for change in ((task.created_ms, 1), (task.ended_ms or float("inf"), -1))
    )
    most = alive = 0
    for _, change in changes:
        alive += change
        most = max(most, alive)
    if most > 1:
        refused = [
            each
            for each in evidence.of("submit")
            if each.status == 429 and not each.is_refused_on_purpose
        ]
        yield Look(
            holds=not (refused and most >= _MOST_TASKS),
            seen=f"{most} tasks at once, {len(refused)} submits beyond the limit",
            event=refused[0].number if refused else None,
        )


RULES: Final = (
    Rule(
        id="C-LIM-001",
        title="after a 429 it waits as many seconds as Retry-After says",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a 429 with Retry-After in seconds",
        advice="Read Retry-After of a 429, wait as many seconds, then send the request again.",
        look=_heeds(_seconds),
    ),
    Rule(
        id="C-LIM-002",
        title="after a 429 it waits until the date that Retry-After says",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a 429 with Retry-After as a date",
        advice="Retry-After may be an HTTP date: parse it, and wait until then.",
        look=_heeds(_date),
    ),
    Rule(
        id="C-LIM-003",
        title="after a 429 without Retry-After it waits, and tries again",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a 429 without Retry-After",
        advice="Where a 429 has no Retry-After, wait for a time of your own (a second, then "
        "longer), then send the request again.",
        look=_copes_without,
    ),
    Rule(
        id="C-LIM-004",
        title="it waits longer when a 429 follows on a 429",
        clauses=("LIM-1",),
        axis=Axis.MANNERS,
        level=Level.SHOULD,
        event="three 429 in a row",
        advice="Let the wait grow with each 429 in a row, twofold for instance.",
        look=_backs_off,
    ),
    Rule(
        id="C-LIM-005",
        title="it takes 400, 401 and 404 for an answer",
        clauses=("SUB-14", "AUTH-2", "STA-2"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="an answer 400, 401 or 404",
        advice="Do not retry 400, 401 and 404: the same request gets the same answer. Tell the "
        "user what the answer says.",
        look=_takes_no,
    ),
    Rule(
        id="C-LIM-006",
        title="it gives up after at most ten tries that are answered 5xx",
        clauses=("LIM-1",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="an answer 5xx",
        advice="Bound the number of tries, five for instance, with a growing wait between them.",
        look=_no_storm,
    ),
    Rule(
        id="C-LIM-007",
        title="it has at most 1,000 tasks at once",
        clauses=("LIM-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="more than one task at once",
        advice="Bound the tasks that are under way with a semaphore of 1,000, or fewer.",
        look=_not_too_many,
    ),
)
