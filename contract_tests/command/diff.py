"""`contract-tests diff`: show how the behaviour of a server differs between two runs."""

from pathlib import Path

import click

from contract_tests.command.directories import EXISTING_DIRECTORY
from contract_tests.contract.text import count
from contract_tests.server import cassettes
from contract_tests.server.catalogue import all_cases
from contract_tests.server.drift import compared_cases, drifts, uncompared_cases
from contract_tests.server.options import Options
from contract_tests.server.reports.files import read_report
from contract_tests.server.reports.report import Report
from contract_tests.server.session import open_replay


@click.command("diff")
@click.argument("a", type=EXISTING_DIRECTORY)
@click.argument("b", type=EXISTING_DIRECTORY)
def diff_command(a: Path, b: Path) -> int:
    """Compare two runs. A and B are directories with reports or with a recording.

    Prints each clause for which the server behaved differently.

    Exit status: 0 no differences, 1 at least one difference, 2 invalid usage, 3 no case ran in both
    runs, 4 the output cannot be written.
    """
    old, new = _report(a), _report(b)
    if not compared_cases(old, new):
        click.echo("nothing to compare: no case was tested in both runs", err=True)
        return 3
    found = drifts(old, new)
    for drift in found:
        click.echo(drift.clause)
        for line in drift.lines:
            click.echo(f"  {line}")
    uncompared = uncompared_cases(old, new)
    if uncompared:
        click.echo(f"not compared, because only one run tested them: {', '.join(uncompared)}")
    click.echo(f"{count(len(found), 'clause')} {'differs' if len(found) == 1 else 'differ'}")
    return 1 if found else 0


def _report(directory: Path) -> Report:
    if not cassettes.is_cassette(directory):
        return read_report(directory)
    recorded = set(cassettes.load_index(directory).cases)
    with open_replay(directory, Options()) as session:
        cases = tuple(case for case in all_cases() if case.id in recorded)
        return session.report(tuple(case_run.result for case_run in session.run(cases)))
