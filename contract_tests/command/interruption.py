"""How a command ends that the user has interrupted."""

from typing import Final

from contract_tests.command.terminal import Entry
from contract_tests.contract.text import count

INTERRUPTED: Final = 130
"""The exit status of a command that Ctrl-C has ended."""


def interrupted(ended: int, total: int) -> Entry:
    """Return what is known of an interrupted command."""
    rest = "the results of these cases follow" if ended else "no result is known"
    return Entry("interrupted: ", f"{ended} of {count(total, 'case')} ended; {rest}", "bold red")
