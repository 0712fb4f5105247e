"""How the user calls the commands of the kit, for messages that name one."""

from collections.abc import Mapping

_called: dict[str, str] = {}


def call_commands(lines: Mapping[str, str]) -> None:
    """Make messages name the commands like this, such as {"run": "apixo-testkit contract"}."""
    _called.update(lines)


def command_line(name: str) -> str:
    """Return what the user types to call this command, such as `contract-tests list`."""
    return _called.get(name, f"contract-tests {name}")
