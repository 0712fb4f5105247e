"""`contract-tests list`: print the cases."""

import click
import msgspec

from contract_tests.command.audit_output import audit_lines
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--audit", "of_audit", is_flag=True, help="Print the cases and rules of the audit.")
def list_command(*, as_json: bool, of_audit: bool) -> int:
    """Print all cases with their clauses, cost and duration."""
    if of_audit:
        for line in audit_lines(as_json=as_json):
            click.echo(line)
        return 0
    cases = all_cases()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"cases": [_row(c) for c in cases]})))
    else:
        for case in cases:
            clauses = ",".join(case.clauses)
            click.echo(f"{case.id}  {clauses:16} {case.cost:9} {case.time:14} {case.title}")
    return 0


def _row(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "title": case.title,
        "clauses": case.clauses,
        "sends": case.sends,
        "expects": case.expects,
        "cost": case.cost,
        "images": case.images,
        "worst_images": case.worst_images,
        "time": case.time,
        "needs_control": case.needs_control,
        "needs_receiver": case.needs_receiver,
        "exhausts": case.exhausts,
        "smoke": case.is_smoke,
        "deep": case.is_deep,
        "loopback_only": case.loopback_only,
    }
