"""`contract-tests diff`: what one run saw otherwise than another."""

from pathlib import Path

import click

from contract_tests.server import cassettes
from contract_tests.server.catalogue import all_cases
from contract_tests.server.drift import compared, drifts, not_compared
from contract_tests.server.options import Options
from contract_tests.server.reports.files import read_report
from contract_tests.server.reports.report import Report
from contract_tests.server.session import replay

DIRECTORY = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("diff")
@click.argument("a", type=DIRECTORY)
@click.argument("b", type=DIRECTORY)
def diff_command(a: Path, b: Path) -> int:
    """Compare two runs, each a folder of reports or a recording.

    Prints each clause whose behaviour differs. Exit status: 0 nothing differs, 1 something does,
    3 there was nothing to compare.
    """
    old, new = _report(a), _report(b)
    if not compared(old, new):
        click.echo("no case was exercised in both runs, so nothing can be said", err=True)
        return 3
    found = drifts(old, new)
    for drift in found:
        click.echo(drift.clause)
        for line in drift.lines:
            click.echo(f"  {line}")
    only_one = not_compared(old, new)
    if only_one:
        click.echo(f"not compared, for only one run has exercised them: {', '.join(only_one)}")
    click.echo(f"{len(found)} clauses differ")
    return 1 if found else 0


def _report(directory: Path) -> Report:
    if not cassettes.is_cassette(directory):
        return read_report(directory)
    recorded = set(cassettes.load_index(directory).cases)
    with replay(directory, Options()) as ready:
        cases = tuple(case for case in all_cases() if case.id in recorded)
        return ready.report(tuple(ran.result for ran in ready.run(cases)))
