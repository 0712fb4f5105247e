"""C-ROB: how a client handles faults of the network or of a proxy while it polls."""

from collections.abc import Callable, Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import TaskRecord, Trait
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_exit, describe_faults
from contract_tests.contract.text import count


def _check_recovery(faults: frozenset[str]) -> Callable[[Evidence], Iterator[Observation]]:
    """Return a check that the client polls again, or uses a response that is still readable."""

    def check(evidence: Evidence) -> Iterator[Observation]:
        for task in evidence.tasks:
            polls = evidence.polls(task.id)
            for each in (poll for poll in polls if poll.injected & faults):
                more = evidence.count_polls_sent_after(each)
                has_used_it = (
                    not more and not each.is_broken and evidence.has_learned_outcome(task, each)
                )
                reaction = "the client stopped"
                if more:
                    reaction = count(more, "more status request")
                elif has_used_it:
                    reaction = "the client used the response"
                client_exit = evidence.client_exit
                was_told = not more and not has_used_it and _was_told(evidence, task)
                if was_told:
                    reaction = "the client got the end of the task from a callback"
                is_reported = client_exit is not None and client_exit.is_failure
                yield Observation(
                    holds=bool(more) or has_used_it or was_told,
                    seen=f"{reaction} after {describe_faults(each.injected & faults)}",
                    event=each.number,
                    excused_by=Trait.NO_RETRY if is_reported else None,
                )

    return check


def _was_told(evidence: Evidence, task: TaskRecord) -> bool:
    """Tell whether a client that succeeded also accepted a callback with the end of its task."""
    client_exit = evidence.client_exit
    has_succeeded = client_exit is not None and client_exit.exit_status == 0
    notices = evidence.final_notices(task.id)
    return has_succeeded and any(each.operation == "callback" for each in notices)


def _check_timeout(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    for each in evidence.exchanges:
        if _HANG not in each.injected or client_exit is None:
            continue
        more = [later for later in evidence.exchanges if later.number > each.number]
        end = (
            count(len(more), "more request") if more else f"the client {describe_exit(client_exit)}"
        )
        yield Observation(
            holds=bool(more) or not client_exit.timed_out,
            seen=f"{end} after a {each.operation} response that never ended",
            event=each.number,
        )


def _rule(
    number: int, fault: str, clauses: tuple[str, ...], advice: str, *injected: str,
    level: Level = Level.MUST,
) -> Rule:  # fmt: skip
    return Rule(
        id=f"C-ROB-{number:03}",
        title=f"{'Must' if level is Level.MUST else 'Should'} continue after {fault}",
        clauses=clauses,
        axis=Axis.OUTCOME,
        level=level,
        event=f"status request that received {fault}",
        advice=advice,
        check=_check_recovery(frozenset(injected)),
        is_about_polling=True,
    )


_RETRY: Final = "The task continues and is billed, so retry the status request a few times."

_HANG: Final = "wire hang"

RULES: Final = (
    _rule(1, "an HTML error page", ("ENV-1", "STA-5"),
          f"Check the status code and the Content-Type before you decode a response. {_RETRY}",
          "wire html-error"),
    _rule(2, "an empty response", ("ENV-1", "STA-5"),
          f"Treat a 200 response without a body as a failed request. {_RETRY}", "wire empty"),
    _rule(3, "a truncated response", ("ENV-1", "STA-5"),
          f"Catch the error that a truncated body raises. {_RETRY}", "wire half-body"),
    _rule(4, "a slow response", ("STA-3",),
          "Allow at least 10 seconds per request, and retry a status request that times out.",
          "latency", "wire dribble", level=Level.CHOICE),
    _rule(5, "a response with unknown or reordered members", ("ENV-4",),
          "Read the members that you know by name, and ignore all others.",
          "meaning unknown-members", "meaning member-order", level=Level.CHOICE),
    _rule(6, "a connection reset", ("ENV-1", "STA-5"),
          f"Catch the error that a connection reset raises. {_RETRY}", "wire reset"),
    Rule(
        id="C-ROB-007",
        title="Must stop waiting for a response that never ends",
        clauses=("TIM-1", "STA-3"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="response that never ends",
        advice="Set a timeout for each request, for example 30 seconds. Many HTTP libraries have "
        "none by default.",
        check=_check_timeout,
        needs_exit=True,
    ),
)  # fmt: skip
