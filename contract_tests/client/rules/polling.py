"""C-POLL: how a client asks for the state of a task."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from contract_tests.client.evidence import Evidence, later, least_s
from contract_tests.client.exchange import Exchange
from contract_tests.client.rule import Axis, Level, Look, Rule
from contract_tests.contract.provider import FINAL

FIRST_S: Final = 20.0  # TIM-2
EVERY_S: Final = 3.0  # TIM-2
_TOO_FAST_S: Final = 1.0
_MAY_LOOK_AGAIN: Final = 1
_STATES: Final = frozenset({"pending", "processing", *FINAL})


def _first(evidence: Evidence) -> Iterator[Look]:
    for submit in evidence.accepted:
        polls = evidence.polls(submit.task_id)
        if not polls or submit.is_broken or _is_prompted(evidence, submit, polls[0]):
            continue
        waited_s = evidence.waited_s(submit, polls[0])
        if waited_s is not None:
            yield _look(waited_s, FIRST_S, "first asked after", polls[0])


def _gaps(evidence: Evidence) -> Iterator[Look]:
    for task in evidence.tasks:
        for earlier, poll in pairwise(evidence.polls(task.id)):
            is_retry = earlier.status != 200 or earlier.is_broken
            is_over = earlier.state in FINAL
            if is_retry or is_over or _is_prompted(evidence, earlier, poll):
                continue
            waited_s = evidence.waited_s(earlier, poll)
            if waited_s is not None:
                yield _look(waited_s, EVERY_S, "asked again after", poll)


def _look(waited_s: float, wanted_s: float, what: str, poll: Exchange) -> Look:
    return Look(
        holds=waited_s >= least_s(wanted_s),
        seen=f"{what} {waited_s:.2f} s",
        event=poll.number,
        is_minor=waited_s >= _TOO_FAST_S,
    )


def _is_prompted(evidence: Evidence, earlier: Exchange, poll: Exchange) -> bool:
    """Tell whether a callback came between two requests: to look then is no polling."""
    came = later(evidence.attempts(poll.task_id), earlier)
    return bool(came) and came[0].number < poll.number


def _stops(evidence: Evidence) -> Iterator[Look]:
    for task in evidence.tasks:
        told = [each for each in evidence.ends_told(task.id) if each.operation == "status"]
        if not told:
            continue
        polls = later(evidence.polls(task.id), told[0])
        more = [each for each in polls if not _is_prompted(evidence, told[0], each)]
        yield Look(
            holds=not more,
            seen=f"asked {len(more)} times more after {told[0].state!r}",
            event=more[0].number if more else told[0].number,
            is_minor=len(more) <= _MAY_LOOK_AGAIN,
        )


def _gives_up(evidence: Evidence) -> Iterator[Look]:
    ended = evidence.ended
    for task in evidence.tasks:
        polls = evidence.polls(task.id)
        if ended is None or task.state in FINAL or not (polls or evidence.waits_for_callbacks):
            continue
        seen = f"gave up after {ended.after_s:.0f} s"
        if ended.timed_out:
            seen = f"had not given up after {ended.after_s:.0f} s and {len(polls)} status requests"
        yield Look(holds=not ended.timed_out, seen=seen, event=polls[-1].number if polls else None)


def _unknown_state(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("status"):
        if each.is_broken or not each.state or each.state in _STATES:
            continue
        more = len(later(evidence.polls(each.task_id), each))
        yield Look(
            holds=bool(more),
            seen=f"after the state {each.state!r} asked {more} times more",
            event=each.number,
        )


def _right_task(evidence: Evidence) -> Iterator[Look]:
    known = {task.id for task in evidence.tasks}
    for each in evidence.of("status"):
        if not each.is_refused_on_purpose:
            yield Look(
                holds=each.asked_id in known,
                seen=f"asked for {each.asked_id!r}",
                event=each.number,
            )


RULES: Final = (
    Rule(
        id="C-POLL-001",
        title="the first status request comes 20 s after the submit's answer, or later",
        clauses=("TIM-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a status request for a task that it has submitted",
        advice="Wait 20 seconds after the submit before you ask for the first time.",
        look=_first,
        is_of_polling=True,
    ),
    Rule(
        id="C-POLL-002",
        title="status requests for a task are 3 s apart, or more",
        clauses=("TIM-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="two status requests for one task that had not ended",
        advice="Wait 3 seconds between two status requests for the same task.",
        look=_gaps,
        is_of_polling=True,
    ),
    Rule(
        id="C-POLL-003",
        title="it stops asking once a task has ended",
        clauses=("STA-5",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a status answer with 'success' or 'failed'",
        advice="Leave the loop when the state is 'success' or 'failed': it never changes again.",
        look=_stops,
        is_of_polling=True,
    ),
    Rule(
        id="C-POLL-004",
        title="it gives up on a task that never ends",
        clauses=("TIM-1", "STA-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a task that does not end",
        advice="Give the wait a deadline, and end with an error when it passes; a deadline longer "
        "than --timeout needs a longer --timeout.",
        look=_gives_up,
        needs_end=True,
    ),
    Rule(
        id="C-POLL-005",
        title="it takes an unknown state for 'not yet'",
        clauses=("STA-4", "ENV-4"),
        axis=Axis.OUTCOME,
        level=Level.SHOULD,
        event="a status answer with a state that the contract does not know",
        advice="Go on asking, until your deadline, when a state is none that you know.",
        look=_unknown_state,
        is_of_polling=True,
    ),
    Rule(
        id="C-POLL-006",
        title="it asks for tasks of its own",
        clauses=("STA-2", "AUTH-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a status request",
        advice="Ask for data.taskId of the submit's answer, as it was given.",
        look=_right_task,
        is_of_polling=True,
    ),
)
