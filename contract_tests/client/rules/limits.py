"""C-LIM-005 to C-LIM-007: errors that are not retried, limits of attempts and of tasks."""

from collections.abc import Iterator
from heapq import merge
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import API_OPERATIONS
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.streaks import streaks
from contract_tests.contract.text import count

_MAX_TASKS: Final = 1000  # LIM-2
_MAX_ATTEMPTS: Final = 10
_FIRM: Final = frozenset({400, 401, 404})
_ADVISED: Final = frozenset({402, 403})  # SUB-17, AUTH-5: the pages disagree on their meaning.


def _check_rejections(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of(*API_OPERATIONS):
        if each.status not in _FIRM | _ADVISED:
            continue
        retries = evidence.repetitions_of(each)
        times = f"retried {count(retries.number, 'time')}" if retries.first else "not retried"
        yield Observation(
            holds=retries.first is None,
            seen=f"{each.operation} rejected with {each.status}, {times}",
            event=retries.first.number if retries.first else each.number,
            is_minor=each.status in _ADVISED,
        )


def _check_server_errors(evidence: Evidence) -> Iterator[Observation]:
    for streak in streaks(evidence, lambda each: 500 <= each.status <= 599):
        seen = f"{count(len(streak), '5xx response')} in a row to {streak[0].operation}"
        yield Observation(holds=len(streak) <= _MAX_ATTEMPTS, seen=seen, event=streak[-1].number)


def _check_concurrency(evidence: Evidence) -> Iterator[Observation]:
    # A sort stops other threads. Two nearly sorted lists take less time than one mixed list.
    starts = sorted(task.created_ms for task in evidence.tasks)
    ends = sorted(task.ended_ms for task in evidence.tasks if task.ended_ms)
    most = running = 0
    for _, change in merge(((each, 1) for each in starts), ((each, -1) for each in ends)):
        running += change
        most = max(most, running)
    if most > 1:
        rejected = [
            each
            for each in evidence.of("submit")
            if each.status == 429 and not each.is_injected_rejection
        ]
        yield Observation(
            holds=not (rejected and most >= _MAX_TASKS),
            seen=f"{most} concurrent tasks, {count(len(rejected), 'submit')} beyond the limit",
            event=rejected[0].number if rejected else None,
        )


RULES: Final = (
    Rule(
        id="C-LIM-005",
        title="Must not retry 400, 401 or 404",
        clauses=("SUB-14", "AUTH-2", "STA-2", "SUB-17", "AUTH-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="response with 400, 401, 402, 403 or 404",
        advice="Do not retry 400, 401, 402, 403 or 404: the same request gets the same response. "
        "Show the message of the response to the user.",
        check=_check_rejections,
    ),
    Rule(
        id="C-LIM-006",
        title="Should stop after at most 10 attempts that get a 5xx response",
        clauses=("LIM-1",),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="5xx response",
        advice="Limit the number of attempts, for example to five, and increase the wait between "
        "them. Do not retry a submit after a 5xx: it may have been accepted.",
        check=_check_server_errors,
    ),
    Rule(
        id="C-LIM-007",
        title="Must run at most 1,000 tasks concurrently",
        clauses=("LIM-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="task that runs concurrently with another",
        advice="Limit the number of concurrent tasks to 1,000 or fewer, for example with a "
        "semaphore.",
        check=_check_concurrency,
    ),
)
