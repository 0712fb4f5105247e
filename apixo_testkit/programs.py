"""The programs that `apixo-testkit` consists of, imported only when one of them runs.

An import takes up to a second, and the contract kit is not installed everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import click


@dataclass(frozen=True)
class Program:
    """A program with the commands that it contributes."""

    title: str
    commands: Mapping[str, str]
    """The help of each command in one line."""
    load: Callable[[str], click.Command]
    """Return the click command; its name is one of `commands`."""
    main: Callable[[click.Command, str], None]
    """Run a click command under this program name, and exit."""


def _load_server(_: str) -> click.Command:
    from mock_server.command import command  # noqa: PLC0415

    return command()


def _run_server(command: click.Command, name: str) -> None:
    from mock_server.__main__ import main  # noqa: PLC0415

    main(command, name)


def _load_client(name: str) -> click.Command:
    from client_reference.command.cli import command  # noqa: PLC0415

    return _of(command(), name)


def _run_client(command: click.Command, name: str) -> None:
    from client_reference.__main__ import main  # noqa: PLC0415

    main(command, name)


def _load_kit(name: str) -> click.Command:
    from contract_tests.command import cli  # noqa: PLC0415

    return _of(cli, "run" if name == "contract" else name)


def _run_kit(command: click.Command, name: str) -> None:
    from contract_tests.__main__ import main  # noqa: PLC0415
    from contract_tests.contract.program import call_commands  # noqa: PLC0415

    call_commands({each: f"{name} {each}" for each in _KIT} | {"run": f"{name} contract"})
    main(command, name)


def _of(group: click.Group, name: str) -> click.Command:
    """Return a command of a group, with the help settings that it inherits there."""
    found = group.commands[name]
    found.context_settings = {**group.context_settings, **found.context_settings}
    return found


_KIT: Final = {
    "contract": "Check a server against the contract.",
    "audit": "Judge a client in situations that a mock stages.",
    "plan": "Show what a run would send and cost.",
    "list": "List the cases, or the rules of the audit.",
    "diff": "Compare two runs.",
    "matrix": "Compare the audits of several clients.",
}
PROGRAMS: Final = (
    Program(
        "Mock server",
        {"serve": "Start the mock server."},
        _load_server,
        _run_server,
    ),
    Program(
        "Client",
        {
            "generate": "Generate images for a prompt.",
            "batch": "Generate images for each line of a file.",
            "status": "Print the state of a task.",
            "wait": "Wait until a task has ended.",
            "balance": "Print the balance of the API key.",
        },
        _load_client,
        _run_client,
    ),
    Program("Contract kit (apixo-testkit[contract])", _KIT, _load_kit, _run_kit),
)
