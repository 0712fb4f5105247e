"""`contract-tests matrix`: show several audits side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from contract_tests.client.reports.files import read_audit, write_matrix
from contract_tests.client.reports.matrix import NOT_TESTED, client_names, matrix
from contract_tests.client.reports.report import AuditReport
from contract_tests.command.directories import DIRECTORY, EXISTING_DIRECTORY, make_directory
from contract_tests.contract.text import plain

_CASE, _VERDICT = 11, 14  # Widths in characters.


@click.command("matrix")
@click.argument("audits", nargs=-1, required=True, type=EXISTING_DIRECTORY, metavar="DIR DIR...")
@click.option("--report", type=DIRECTORY, metavar="OUT",
              help="Write report.html and summary.md into this directory.")  # fmt: skip
def matrix_command(audits: tuple[Path, ...], report: Path | None) -> int:
    """Show audits side by side: one row per case, one column per client.

    Each DIR is a directory that `contract-tests audit --report` wrote.

    Exit status: 0 success, 2 a directory has no report of an audit, 4 a report or the output
    cannot be written.
    """
    if report is not None and report.resolve() in {each.resolve() for each in audits}:
        raise click.UsageError(
            f"--report {report}: contains one of the audits; choose another directory"
        )
    reports = [read_audit(each) for each in audits]
    if report is not None:
        write_matrix(reports, make_directory(report))
    for line in _lines(reports):
        click.echo(line)
    return 0


def _lines(reports: Sequence[AuditReport]) -> Iterator[str]:
    for number, (name, report) in enumerate(zip(client_names(reports), reports, strict=True), 1):
        axes = f"outcome {report.summary.outcome}, manners {report.summary.manners}"
        yield f"{number}: {plain(name)} ({axes})"
    yield ""
    yield _line("case", [str(number + 1) for number in range(len(reports))], "")
    for row in matrix(reports):
        verdicts = [each or NOT_TESTED for each in row.verdicts]
        yield _line(plain(row.case_id), verdicts, plain(row.title))


def _line(case_id: str, cells: Sequence[str], title: str) -> str:
    columns = "".join(f"{each:{_VERDICT}}" for each in cells)
    return f"{case_id:{_CASE}} {columns}{title}".rstrip()
