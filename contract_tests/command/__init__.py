"""The commands of `contract-tests`."""

import click

from contract_tests.command.auditing import audit_command
from contract_tests.command.comparing import diff_command
from contract_tests.command.listing import list_command
from contract_tests.command.planning import plan_command
from contract_tests.command.running import run_command
from contract_tests.command.tabulating import matrix_command

cli = click.Group(
    "contract-tests",
    commands={
        "list": list_command,
        "plan": plan_command,
        "run": run_command,
        "diff": diff_command,
        "audit": audit_command,
        "matrix": matrix_command,
    },
    help="Check a server, or a client, against the APIXO gpt-image-1 contract.",
)
