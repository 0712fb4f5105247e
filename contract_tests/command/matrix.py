"""`contract-tests matrix`: several audits side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from contract_tests.client.reports.files import read_audit, write_matrix
from contract_tests.client.reports.matrix import NOT_TESTED, client_names, matrix
from contract_tests.client.reports.report import AuditReport
from contract_tests.command.diff import DIRECTORY
from contract_tests.command.run import made
from contract_tests.contract.text import plain

_CASE, _VERDICT = 11, 14  # letters


@click.command("matrix")
@click.argument("audits", nargs=-1, required=True, type=DIRECTORY, metavar="DIR DIR...")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="OUT",
              help="Write report.html and summary.md of all of them into this folder.")  # fmt: skip
def matrix_command(audits: tuple[Path, ...], report: Path | None) -> int:
    """Show audits side by side: a row a case, a column a client.

    Each DIR is what `contract-tests audit --report` has written. Exit status: 0 it was shown, 2 a
    folder holds no report of an audit.
    """
    if report is not None and report.resolve() in {each.resolve() for each in audits}:
        raise click.UsageError(f"--report {report}: holds one of the audits; name another folder")
    reports = [read_audit(each) for each in audits]
    if report is not None:
        write_matrix(reports, made(report))
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
