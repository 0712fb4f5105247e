"""Passive checkers: every exchange of every case is judged by every clause that applies."""

from collections.abc import Iterable
from typing import Final

from contract_tests.contract.verdicts import Finding
from contract_tests.server.checkers.attempts import check_attempts
from contract_tests.server.checkers.callbacks import check_callbacks
from contract_tests.server.checkers.downloads import check_downloads
from contract_tests.server.checkers.envelope import check_envelopes
from contract_tests.server.checkers.identity import check_identity
from contract_tests.server.checkers.ledger import check_ledger
from contract_tests.server.checkers.limits import check_limits
from contract_tests.server.checkers.members import check_members
from contract_tests.server.checkers.outcomes import check_outcomes
from contract_tests.server.checkers.progress import check_progress
from contract_tests.server.checkers.reader import read_trace
from contract_tests.server.checkers.results import check_results
from contract_tests.server.checkers.submits import check_submits
from contract_tests.server.checkers.times import check_times
from contract_tests.server.checkers.violation import Checker, Violation
from contract_tests.server.events import Event
from contract_tests.server.target import Target

CHECKERS: Final[tuple[Checker, ...]] = (
    check_envelopes,
    check_members,
    check_progress,
    check_times,
    check_results,
    check_outcomes,
    check_downloads,
    check_identity,
    check_submits,
    check_limits,
    check_ledger,
    check_callbacks,
    check_attempts,
)


def check_trace(
    events: Iterable[Event], target: Target, *, has_all_callbacks: bool = False
) -> list[Finding]:
    """Return a finding for each clause that these events violate, one per kind of violation.

    `has_all_callbacks` says that the events show every callback that has arrived.
    """
    trace = read_trace(events, target)
    trace.has_all_callbacks = has_all_callbacks
    first: dict[tuple[str, str], Violation] = {}
    for checker in CHECKERS:
        for violation in checker(trace):
            first.setdefault((violation.clause, violation.kind), violation)
    return [
        Finding(
            clause=each.clause,
            holds=False,
            expected=each.expected,
            seen=each.seen,
            event=each.event,
            is_choice=each.is_choice,
        )
        for each in sorted(first.values(), key=lambda each: each.event)
    ]
