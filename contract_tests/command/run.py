"""`contract-tests run`: run cases against a server and report."""

from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from contract_tests.command.directories import DIRECTORY, make_directory
from contract_tests.command.interruption import INTERRUPTED, interrupted
from contract_tests.command.progress import Progress, ProgressDisplay
from contract_tests.command.run_output import result_line, summary_entries
from contract_tests.command.switches import (
    options_of,
    selected_cases,
    verbose_option,
    with_selection_options,
    with_target_options,
)
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.errors import OutputError
from contract_tests.contract.text import count
from contract_tests.server import cassettes
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases
from contract_tests.server.expected_failures import load_expected_failures
from contract_tests.server.options import Options, default_suite
from contract_tests.server.reports.files import write_reports
from contract_tests.server.reports.report import CaseResult
from contract_tests.server.session import Session, open_replay, open_session

_NOT_RUN: Final = "not run: the run was interrupted"


@click.command("run")
@with_target_options
@with_selection_options
@click.option("--report", type=DIRECTORY, metavar="DIR", help="Write reports into this directory.")
@click.option(
    "--record",
    type=DIRECTORY,
    metavar="DIR",
    help="Record all traffic into this directory, without API keys.",
)
@click.option(
    "--replay",
    type=DIRECTORY,
    metavar="DIR",
    help="Judge a recording again without sending requests.",
)
@click.option("--expected-failures", type=click.Path(path_type=Path), metavar="FILE.toml",
              help='Cases that may fail, with reasons: "S-SUB-011" = "why".')  # fmt: skip
@verbose_option
def run_command(
    report: Path | None,
    record: Path | None,
    replay: Path | None,
    expected_failures: Path | None,
    *,
    verbose: bool,
    **given: Any,
) -> int:
    """Check a server against the contract, clause by clause.

    Without --base-url the command starts a mock and checks it.

    Exit status: 0 no failures, 1 at least one failure, 2 invalid usage, 3 something could not be
    tested or the server does not answer like the APIXO API, 4 a report or the output cannot be
    written, 130 interrupted.
    """
    options = options_of(given)
    if expected_failures is not None:
        known = load_expected_failures(expected_failures, {case.id for case in all_cases()})
        options = msgspec.structs.replace(options, expected_failures=known)
    cases = selected_cases(given, default_suite(options) if replay is None else "deep")
    for directory in filter(None, (report, record)):
        make_directory(directory)
    with _open(options, replay) as session:
        cases = _recorded_cases(cases, session)
        results, is_interrupted = _results(session, cases, record, is_verbose=verbose)
        if record is not None:
            cassettes.save_index(record, session.cassette(results))
    done = {each.id for each in results}
    rest = [session.runner.unfinished(case, _NOT_RUN) for case in cases if case.id not in done]
    whole = session.report((*results, *rest))
    summarize = partial(summary_entries, whole, session.register, spent_usd=session.spent_usd)
    try:
        if report is not None:
            write_reports(whole, report)
    except OutputError:
        Terminal().print(summarize(directory=None))
        raise
    Terminal().print(summarize(directory=report))
    return INTERRUPTED if is_interrupted else whole.summary.exit_status


def _results(
    session: Session, cases: tuple[Case, ...], record: Path | None, *, is_verbose: bool
) -> tuple[tuple[CaseResult, ...], bool]:
    """Run the cases, show each result as soon as it is known, and record the traffic.

    Return the results, and whether the user has interrupted the run.
    """
    if record is not None:
        cassettes.begin(record)
    terminal = Terminal()
    terminal.print([_introduction(session, len(cases))])
    progress = Progress(len(cases), session.workers)
    display = ProgressDisplay(terminal, progress, is_verbose=is_verbose)
    results: list[CaseResult] = []
    try:
        with display.shown(), closing(session.run(cases, display.start)) as running:
            for case_run in running:
                result = case_run.result
                if record is not None:
                    cassettes.save(record, result.id, case_run.events)
                results.append(result)  # Before the display, which Ctrl-C may interrupt.
                display.end(result.id, result.verdict, result_line(result))
    except KeyboardInterrupt:
        terminal.print([interrupted(len(results), len(cases))])
        return tuple(results), True
    return tuple(results), False


def _introduction(session: Session, cases: int) -> Entry:
    verb = "replaying" if session.recorded is not None else "checking"
    return Entry("", f"{verb} {session.target.base_url}: {count(cases, 'case')}")


def _recorded_cases(cases: tuple[Case, ...], session: Session) -> tuple[Case, ...]:
    """Return the selected cases; in a replay, only those in the recording."""
    if session.recorded is None:
        return cases
    recorded = tuple(case for case in cases if case.id in session.recorded)
    if not recorded:
        raise click.UsageError("the recording has none of the selected cases")
    return recorded


def _open(options: Options, recording: Path | None) -> AbstractContextManager[Session]:
    if recording is not None:
        return open_replay(recording, options)
    return open_session(options)
