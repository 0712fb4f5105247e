"""`contract-tests run`: ask the cases, and report."""

from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import click
import msgspec

from contract_tests.command.run_output import result_line, summary_lines
from contract_tests.command.switches import asks_a_target, chooses_cases, chosen, options_of
from contract_tests.server import cassettes
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases
from contract_tests.server.expected_failures import load_expected_failures
from contract_tests.server.options import Options, default_profile
from contract_tests.server.reports.files import write_reports
from contract_tests.server.reports.report import CaseResult, Report
from contract_tests.server.session import Session, replay, session

DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command("run")
@asks_a_target
@chooses_cases
@click.option("--report", type=DIRECTORY, metavar="DIR", help="Write reports into this folder.")
@click.option("--record", type=DIRECTORY, metavar="DIR", help="Keep every exchange, redacted.")
@click.option("--replay", type=DIRECTORY, metavar="DIR", help="Judge a recording, with no network.")
@click.option("--expected-failures", type=click.Path(path_type=Path), metavar="FILE.toml",
              help='Cases that may fail, each with a reason: "S-SUB-011" = "why".')  # fmt: skip
def run_command(
    report: Path | None,
    record: Path | None,
    replay: Path | None,
    expected_failures: Path | None,
    **given: Any,
) -> int:
    """Check a server; without --base-url a mock that it starts itself.

    Exit status: 0 all is kept, 1 something is broken, 2 wrong usage, 3 something could not be
    judged.
    """
    options = options_of(given)
    if expected_failures is not None:
        known = load_expected_failures(expected_failures, {case.id for case in all_cases()})
        options = msgspec.structs.replace(options, expected_failures=known)
    cases = chosen(given, default_profile(options) if replay is None else "full")
    for directory in filter(None, (report, record)):
        made(directory)
    with _ready(options, replay) as ready:
        whole = _asked(ready, _those_held(cases, ready), record)
    if report is not None:
        write_reports(whole, report)
    for line in summary_lines(whole, ready.spent):
        click.echo(line)
    return whole.summary.exit_status


def _asked(ready: Session, cases: tuple[Case, ...], record: Path | None) -> Report:
    """Ask the cases, tell of each as soon as it is judged, and keep what passed."""
    if record is not None:
        cassettes.begin(record)
    results: list[CaseResult] = []
    with closing(ready.run(cases)) as running:
        for ran in running:
            click.echo(result_line(ran.result))
            results.append(ran.result)
            if record is not None:
                cassettes.save(record, ran.result.id, ran.events)
    if record is not None:
        cassettes.save_index(record, ready.cassette(tuple(results)))
    return ready.report(tuple(results))


def _those_held(cases: tuple[Case, ...], ready: Session) -> tuple[Case, ...]:
    """Leave out what a recording does not hold."""
    if ready.recorded is None:
        return cases
    held = tuple(case for case in cases if case.id in ready.recorded)
    if not held:
        raise click.UsageError("the recording holds none of the chosen cases")
    return held


def made(directory: Path) -> Path:
    """Return the folder, which is there now: fail before anything is sent rather than after."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{directory}: {error.strerror}") from error
    return directory


def _ready(options: Options, recording: Path | None) -> AbstractContextManager[Session]:
    if recording is not None:
        return replay(recording, options)
    return session(options)
