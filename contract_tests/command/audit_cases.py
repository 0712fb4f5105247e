"""Runs a client in the cases of an audit, and shows the results as they become known."""

from contextlib import closing
from typing import Any, Final

import msgspec

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.driving.trials import ClientNotReachingMock, run_trials
from contract_tests.client.records import Trait
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.command.audit_output import case_line
from contract_tests.command.interruption import interrupted
from contract_tests.command.progress import Progress, ProgressDisplay
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.text import count

_INTERRUPTED: Final = "not run: the audit was interrupted"
_UNREACHED: Final = "not run: the client did not reach the mock"


class AuditEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How an audit ended. `not_run` is the reason of the cases that have no result."""

    is_interrupted: bool = False
    error: ClientNotReachingMock | None = None
    not_run: str = ""


def run_client(
    client: ClientCommand,
    cases: tuple[CasePlan, ...],
    base_url: str,
    given: dict[str, Any],
    declared: frozenset[Trait],
    *,
    is_verbose: bool,
) -> tuple[list[AuditedCase], AuditEnd]:
    """Return the results that are known at the end, in any order, and how it ended."""
    terminal = Terminal()
    terminal.print([Entry("", f"auditing the client on {base_url}: {count(len(cases), 'case')}")])
    progress = Progress(len(cases), given["parallel"])
    display = ProgressDisplay(terminal, progress, is_verbose=is_verbose)
    trials = run_trials(
        cases,
        base_url,
        client,
        parallel=given["parallel"],
        timeout_s=given["timeout_s"],
        declared=declared,
        on_start=display.start,
    )
    results: list[AuditedCase] = []
    try:
        with display.shown(), closing(trials):
            for case in trials:
                results.append(case)  # First, because Ctrl-C may interrupt the display.
                display.end(case.id, case.verdict, case_line(case))
    except KeyboardInterrupt:
        terminal.print([interrupted(len(results), len(cases))])
        return results, AuditEnd(is_interrupted=True, not_run=_INTERRUPTED)
    except ClientNotReachingMock as error:
        return [*results, error.case], AuditEnd(error=error, not_run=_UNREACHED)
    return results, AuditEnd()
