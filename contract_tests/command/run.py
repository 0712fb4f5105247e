"""`contract-tests run`: run cases against a server and report."""

from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import click
import msgspec

from contract_tests.command.directories import DIRECTORY, make_directory
from contract_tests.command.run_output import result_line, summary_lines
from contract_tests.command.switches import (
    options_of,
    selected_cases,
    with_selection_options,
    with_target_options,
)
from contract_tests.server import cassettes
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases
from contract_tests.server.expected_failures import load_expected_failures
from contract_tests.server.options import Options, default_suite
from contract_tests.server.reports.files import write_reports
from contract_tests.server.reports.report import CaseResult, Report
from contract_tests.server.session import Session, open_replay, open_session


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
def run_command(
    report: Path | None,
    record: Path | None,
    replay: Path | None,
    expected_failures: Path | None,
    **given: Any,
) -> int:
    """Check a server against the contract, clause by clause.

    Without --base-url the command starts a mock and checks it.

    Exit status: 0 no failures, 1 at least one failure, 2 invalid usage, 3 something could not be
    tested.
    """
    options = options_of(given)
    if expected_failures is not None:
        known = load_expected_failures(expected_failures, {case.id for case in all_cases()})
        options = msgspec.structs.replace(options, expected_failures=known)
    cases = selected_cases(given, default_suite(options) if replay is None else "full")
    for directory in filter(None, (report, record)):
        make_directory(directory)
    with _open(options, replay) as session:
        whole = _run(session, _recorded_cases(cases, session), record)
    if report is not None:
        write_reports(whole, report)
    for line in summary_lines(whole, session.spent_usd):
        click.echo(line)
    return whole.summary.exit_status


def _run(session: Session, cases: tuple[Case, ...], record: Path | None) -> Report:
    """Run the cases, print each result as soon as it is known, and record the traffic."""
    if record is not None:
        cassettes.begin(record)
    results: list[CaseResult] = []
    with closing(session.run(cases)) as running:
        for case_run in running:
            click.echo(result_line(case_run.result))
            results.append(case_run.result)
            if record is not None:
                cassettes.save(record, case_run.result.id, case_run.events)
    if record is not None:
        cassettes.save_index(record, session.cassette(tuple(results)))
    return session.report(tuple(results))


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
