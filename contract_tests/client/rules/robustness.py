"""C-ROB: what a client does when the network or a proxy misbehaves."""

from collections.abc import Callable, Iterator
from typing import Final

from contract_tests.client.evidence import Evidence, later
from contract_tests.client.rule import Axis, Level, Look, Rule


def _survives(*faults: str) -> Callable[[Evidence], Iterator[Look]]:
    """Look whether a client asks again after a fault, or understands the answer in spite of it."""

    def look(evidence: Evidence) -> Iterator[Look]:
        for task in evidence.tasks:
            met = [each for each in evidence.polls(task.id) if each.injected & frozenset(faults)]
            for each in met:
                more = later(evidence.polls(task.id), each)
                understood = not each.is_broken and evidence.has_reached(task, each)
                seen = ", ".join(sorted(each.injected))
                yield Look(
                    holds=bool(more) or understood,
                    seen=f"{seen}: "
                    + (f"asked {len(more)} times more" if more else "")
                    + ("went on with the answer" if understood and not more else "")
                    + ("was the end of it" if not more and not understood else ""),
                    event=each.number,
                )

    return look


def _rule(
    number: int, how: str, clauses: tuple[str, ...], advice: str, *faults: str,
    level: Level = Level.MUST,
) -> Rule:  # fmt: skip
    return Rule(
        id=f"C-ROB-{number:03}",
        title=f"it goes on when a status request is answered {how}",
        clauses=clauses,
        axis=Axis.OUTCOME,
        level=level,
        event=f"a status request that is answered {how}",
        advice=advice,
        look=_survives(*faults),
        is_of_polling=True,
    )


_AGAIN: Final = "The task goes on and is paid for: ask for its status again, a few times."

RULES: Final = (
    _rule(1, "with the HTML error page of a proxy", ("ENV-1", "STA-5"),
          f"Look at the status and the type before you decode an answer. {_AGAIN}",
          "wire html-error"),
    _rule(2, "with an empty body", ("ENV-1", "STA-5"),
          f"An answer 200 may be empty: take that for a failed request. {_AGAIN}", "wire empty"),
    _rule(3, "with half a body", ("ENV-1", "STA-5"),
          f"Catch the error of a body that breaks off. {_AGAIN}", "wire half-body"),
    _rule(4, "slowly", ("STA-3",),
          "Give a request at least 10 seconds, and repeat a status request that took too long.",
          "latency", "wire dribble"),
    _rule(5, "with members that are unknown or in another order", ("ENV-4",),
          "Take the members that you know by name, and ignore the others.",
          "meaning unknown-members", "meaning member-order", level=Level.CHOICE),
    _rule(6, "by a reset of the connection", ("ENV-1", "STA-5"),
          f"Catch the error of a connection that is reset. {_AGAIN}", "wire reset"),
)  # fmt: skip
