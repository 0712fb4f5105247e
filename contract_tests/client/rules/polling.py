"""C-POLL: how a client polls the state of a task."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from contract_tests.client.evidence import Evidence, exchanges_after, minimum_wait_s
from contract_tests.client.records import HttpExchange
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_exit
from contract_tests.contract.provider import FINAL
from contract_tests.contract.text import count

_FIRST_POLL_S: Final = 20.0  # TIM-2
_MARGIN_S: Final = 1.0  # A client may count from its start, or from before it connects.
_INTERVAL_S: Final = 3.0  # TIM-2
_TOO_FAST_S: Final = 1.0
_LONG_WAIT_S: Final = 60.0  # Twice the time that a task takes on average (TIM-1).
_TOLERATED_POLLS: Final = 1
_STATES: Final = frozenset({"pending", "processing", *FINAL})


def _check_first_poll(evidence: Evidence) -> Iterator[Observation]:
    for submit in evidence.accepted_submits:
        polls = evidence.polls(submit.task_id)
        if not polls or submit.is_broken or _follows_callback(evidence, submit, polls[0]):
            continue
        waited_s = evidence.wait_s(submit, polls[0])
        if waited_s is not None:
            required_s = _FIRST_POLL_S - _MARGIN_S
            yield _judge_wait(waited_s, required_s, "first status request", polls[0])


def _check_interval(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        for earlier, poll in pairwise(evidence.polls(task.id)):
            is_retry = earlier.status != 200 or earlier.is_broken
            has_ended = earlier.state in FINAL
            if is_retry or has_ended or _follows_callback(evidence, earlier, poll):
                continue
            waited_s = evidence.wait_s(earlier, poll)
            if waited_s is not None:
                yield _judge_wait(waited_s, _INTERVAL_S, "next status request", poll)


def _judge_wait(
    waited_s: float, required_s: float, subject: str, poll: HttpExchange
) -> Observation:
    return Observation(
        holds=waited_s >= minimum_wait_s(required_s),
        seen=f"{subject} after {waited_s:.2f} s",
        event=poll.number,
        is_minor=waited_s >= _TOO_FAST_S,
    )


def _follows_callback(evidence: Evidence, earlier: HttpExchange, poll: HttpExchange) -> bool:
    """Tell whether a callback arrived between two exchanges: then the request is not polling."""
    attempts = exchanges_after(evidence.callback_attempts(poll.task_id), earlier)
    return bool(attempts) and attempts[0].number < poll.number


def _check_stop(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        final = [each for each in evidence.final_notices(task.id) if each.operation == "status"]
        if not final:
            continue
        polls = exchanges_after(evidence.polls(task.id), final[0])
        more = [each for each in polls if not _follows_callback(evidence, final[0], each)]
        yield Observation(
            holds=not more,
            seen=f"{count(len(more), 'more status request')} after state {final[0].state!r}",
            event=more[0].number if more else final[0].number,
            is_minor=len(more) <= _TOLERATED_POLLS,
        )


def _check_deadline(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    if client_exit is None:
        return
    for task in evidence.tasks:
        polls = evidence.polls(task.id)
        if task.state in FINAL or not (polls or evidence.waits_for_callbacks):
            continue
        seen = f"gave up after {client_exit.after_s:.0f} s"
        if client_exit.timed_out:
            seen = f"{describe_exit(client_exit)} and {count(len(polls), 'status request')}"
        event = polls[-1].number if polls else None
        yield Observation(holds=not client_exit.timed_out, seen=seen, event=event)


def _check_longest_wait(evidence: Evidence) -> Iterator[Observation]:
    if evidence.requests_callbacks:
        return  # Status requests are only the second source of such a client.
    for submit in evidence.accepted_submits:
        polls = evidence.polls(submit.task_id)
        waits = [
            (wait_s, later)
            for earlier, later in pairwise([submit, *polls])
            if earlier.state not in FINAL and earlier.status == 200
            for wait_s in [evidence.wait_s(earlier, later)]
            if wait_s is not None
        ]
        if waits:
            longest_s, poll = max(waits, key=lambda each: each[0])
            seen = f"the longest time without a status request was {longest_s:.0f} s"
            yield Observation(holds=longest_s <= _LONG_WAIT_S, seen=seen, event=poll.number)


def _check_unknown_state(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("status"):
        if each.is_broken or not each.state or each.state in _STATES:
            continue
        more = evidence.count_polls_sent_after(each)
        yield Observation(
            holds=bool(more),
            seen=f"{count(more, 'more status request')} after state {each.state!r}",
            event=each.number,
        )


def _check_task_id(evidence: Evidence) -> Iterator[Observation]:
    known = {task.id for task in evidence.tasks}
    for each in evidence.of("status"):
        if not each.is_injected_rejection and each.method == "GET":
            yield Observation(
                holds=each.requested_task_id in known,
                seen=f"taskId is {each.requested_task_id!r}",
                event=each.number,
            )


RULES: Final = (
    Rule(
        id="C-POLL-001",
        title="Must wait 20 s after the submit before the first status request",
        clauses=("TIM-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="status request for a task that the client submitted",
        advice="Wait 20 seconds after the submit before the first status request.",
        check=_check_first_poll,
        is_about_polling=True,
    ),
    Rule(
        id="C-POLL-002",
        title="Must wait 3 s between status requests for a task",
        clauses=("TIM-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="second status request for a task in progress",
        advice="Wait 3 seconds between status requests for the same task.",
        check=_check_interval,
        is_about_polling=True,
    ),
    Rule(
        id="C-POLL-003",
        title="Must stop polling when a task has ended",
        clauses=("STA-5",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="status response with the state 'success' or 'failed'",
        advice="Stop polling when the state is 'success' or 'failed'. Final states never change.",
        check=_check_stop,
        is_about_polling=True,
    ),
    Rule(
        id="C-POLL-004",
        title="Must give up on a task that never ends",
        clauses=("TIM-1", "STA-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="task that does not end",
        advice="Set a deadline for the wait, and report an error when it passes. If your deadline "
        "is longer than --timeout, increase --timeout.",
        check=_check_deadline,
        needs_exit=True,
    ),
    Rule(
        id="C-POLL-005",
        title="Should continue polling after an unknown state",
        clauses=("STA-4", "ENV-4"),
        axis=Axis.OUTCOME,
        level=Level.SHOULD,
        event="status response with an unknown state",
        advice="Treat an unknown state as in progress, and continue polling until your deadline.",
        check=_check_unknown_state,
        is_about_polling=True,
    ),
    Rule(
        id="C-POLL-006",
        title="Must poll only its own tasks",
        clauses=("STA-2", "AUTH-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="status request",
        advice="Send data.taskId of the submit response unchanged as taskId.",
        check=_check_task_id,
        is_about_polling=True,
    ),
    Rule(
        id="C-POLL-007",
        title="Should request the status at least once per minute",
        clauses=("TIM-1", "TIM-2"),
        axis=Axis.MANNERS,
        level=Level.SHOULD,
        event="status request for a task that the client submitted",
        advice="Limit the wait between status requests, for example to 10 seconds. A wait that "
        "doubles each time lasts for minutes after the task has ended.",
        check=_check_longest_wait,
        is_about_polling=True,
    ),
)
