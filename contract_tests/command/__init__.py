"""The commands of `contract-tests`."""

import click

from contract_tests.command.audit import audit_command
from contract_tests.command.diff import diff_command
from contract_tests.command.list import list_command
from contract_tests.command.matrix import matrix_command
from contract_tests.command.plan import plan_command
from contract_tests.command.run import run_command

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
    context_settings={"help_option_names": ["-h", "--help"]},
)
click.version_option(package_name="apixo-testkit", message="contract-tests %(version)s")(cli)
