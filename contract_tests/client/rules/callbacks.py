"""C-CB: what a client does with callbacks."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Ended, Exchange, TaskSeen, is_true_callback
from contract_tests.client.rule import Axis, Level, Look, Rule
from contract_tests.contract.provider import FINAL

WITHIN_S: Final = 30.0  # CB-2


def _answers(evidence: Evidence) -> Iterator[Look]:
    for task in evidence.tasks:
        attempts = [each for each in evidence.attempts(task.id) if is_true_callback(each)]
        took = [each for each in attempts if each.status == 200]
        for each in attempts:
            if not each.status and took:
                continue  # it had what it wanted, and has gone
            seen = f"answered {each.status}" if each.status else each.error or "no answer"
            yield Look(
                holds=each.status == 200 and each.duration_ms <= WITHIN_S * 1000,
                seen=f"{seen} after {each.duration_ms / 1000:.2f} s",
                event=each.number,
            )


def _one_effect(evidence: Evidence) -> Iterator[Look]:
    for task in evidence.tasks:
        took = [each for each in evidence.ends_told(task.id) if each.operation == "callback"]
        if len(took) < 2:
            continue
        fetched = Counter(
            each.address
            for each in evidence.downloads(task.id)
            if each.method == "GET" and each.status == 200 and not each.injected
        )
        most = max(fetched.values(), default=0)
        bought = (each for each in evidence.accepted if each.task_id == task.id)
        again = any(evidence.same_purchase_after(each, took[0]) for each in bought)
        made = "the same was bought again" if again else "nothing was bought again"
        yield Look(
            holds=most <= 1 and not again,
            seen=f"{len(took)} callbacks: each result fetched {most} times, {made}",
            event=took[1].number,
        )


def _goes_on(fault: str) -> Callable[[Evidence], Iterator[Look]]:
    """Look whether a client gets hold of the task in spite of a fault of its callbacks."""

    def look(evidence: Evidence) -> Iterator[Look]:
        for task, strange in _met(evidence, fault):
            reached = evidence.has_reached(task)
            seen = (
                "the result was fetched"
                if reached
                else f"the result was not fetched{_end(evidence)}"
            )
            yield Look(holds=reached, seen=seen, event=strange.number)

    return look


def _late(evidence: Evidence) -> Iterator[Look]:
    """Look also at clients that had gone before: their task has ended, and no callback came."""
    yield from _goes_on("callback delay")(evidence)
    ended = evidence.ended
    if ended is None or ended.timed_out or not evidence.asks_for_callbacks:
        return
    for task in evidence.tasks:
        if task.state in FINAL and not evidence.attempts(task.id):
            reached = evidence.has_reached(task)
            seen = "it asked in the meantime" if reached else f"no callback came{_end(evidence)}"
            yield Look(holds=reached, seen=seen)


def _lost(evidence: Evidence) -> Iterator[Look]:
    for task, dropped in _met(evidence, "callback drop"):
        ended = evidence.ended
        if evidence.has_reached(task):
            yield Look(holds=True, seen="it fell back to asking", event=dropped.number)
        elif ended is not None:
            says_so = ended.exit_status != 0 and not ended.timed_out
            yield Look(
                holds=says_so, seen=f"no callback came{_end(evidence)}", event=dropped.number
            )


def _failure(evidence: Evidence) -> Iterator[Look]:
    ended = evidence.ended
    for task in evidence.tasks:
        told = [each for each in evidence.failures_told(task.id) if each.operation == "callback"]
        if told and ended is not None:
            yield Look(
                holds=_is_failure(ended),
                seen=f"told of {told[0].told.get('failCode')}{_end(evidence)}",
                event=told[0].number,
            )


def _is_failure(ended: Ended) -> bool:
    return ended.exit_status != 0 and not ended.timed_out


def _end(evidence: Evidence) -> str:
    ended = evidence.ended
    if ended is None:
        return ""
    if ended.timed_out:
        return f", and it had not ended after {ended.after_s:.0f} s"
    return f", and it ended with status {ended.exit_status}"


def _met(evidence: Evidence, fault: str) -> Iterator[tuple[TaskSeen, Exchange]]:
    for task in evidence.tasks:
        met = [each for each in evidence.attempts(task.id) if fault in each.injected]
        if met:
            yield task, met[0]


RULES: Final = (
    Rule(
        id="C-CB-001",
        title="it answers a callback with 200 within 30 s",
        clauses=("CB-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a callback",
        advice="Answer 200 at once and do the work afterwards; anything else is delivered again.",
        look=_answers,
    ),
    Rule(
        id="C-CB-002",
        title="a callback that comes twice has one effect",
        clauses=("CB-4",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="two callbacks for one task that it took",
        advice="Remember the task ids that you have handled, and do nothing on a second callback.",
        look=_one_effect,
    ),
    Rule(
        id="C-CB-003",
        title="it copes with a callback that comes before the submit's answer",
        clauses=("CB-4",),
        axis=Axis.OUTCOME,
        level=Level.CHOICE,
        event="a callback before the submit's answer",
        advice="Listen before you submit, and keep callbacks for ids that you do not know yet.",
        look=_goes_on("callback before-answer"),
    ),
    Rule(
        id="C-CB-004",
        title="it copes with a callback that comes late",
        clauses=("CB-4", "CB-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a callback that comes late",
        advice="Wait for a callback as long as for a task, or ask in the meantime.",
        look=_late,
    ),
    Rule(
        id="C-CB-005",
        title="when no callback comes it asks, or says so",
        clauses=("CB-3", "CB-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a callback that is lost",
        advice="Give the wait for a callback a deadline; then ask for the status, or end with an "
        "error.",
        look=_lost,
    ),
    Rule(
        id="C-CB-006",
        title="a callback with a forged task id does no harm",
        clauses=("CB-6",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a callback with a forged task id",
        advice="Callbacks are not signed: ignore task ids that you did not submit, and go on "
        "waiting for your own.",
        look=_goes_on("callback forged-id"),
    ),
    Rule(
        id="C-CB-007",
        title="a malformed callback does no harm",
        clauses=("CB-1", "ENV-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a callback whose body is no JSON",
        advice="Answer 400 to a body that is none, and go on waiting.",
        look=_goes_on("callback garbage"),
    ),
    Rule(
        id="C-CB-008",
        title="a callback that tells of a failure ends as a failure",
        clauses=("CB-1", "STA-8"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a callback with the state 'failed' that it took",
        advice="Look at data.state of a callback: it is posted for failures, too.",
        look=_failure,
        needs_end=True,
    ),
)
