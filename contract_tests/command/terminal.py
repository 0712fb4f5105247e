"""Prints the lines of a command: wrapped and coloured on a terminal, unchanged elsewhere."""

import os
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

from contract_tests.contract.verdicts import Verdict

_NARROWEST: Final = 20  # Columns for a wrapped text; with less it starts below its lead.
_SMALL_INDENT: Final = 4
VERDICT_STYLES: Final[Mapping[Verdict, str]] = {
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.INCONCLUSIVE: "cyan",
    Verdict.WARN: "yellow",
    Verdict.PASS: "green",
    Verdict.SKIP: "dim",
}


class Entry(NamedTuple):
    """A paragraph of the output. Its further lines are indented below the end of `lead`.

    A paragraph that can be copied, such as a command, is not wrapped.
    """

    lead: str
    text: str
    lead_style: str = ""
    style: str = ""
    is_wrapped: bool = True

    @property
    def plain(self) -> str:
        """The paragraph as one line."""
        return (self.lead + self.text).rstrip()


class Terminal:
    """Standard output or standard error. `is_terminal` and `can_redraw` tell what it can show.

    Colours follow the terminal, NO_COLOR, FORCE_COLOR and TERM, as rich reads them.
    """

    def __init__(self, *, is_error: bool = False) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False, stderr=is_error)
        self.is_terminal = self.console.file.isatty()
        self.can_redraw = self.is_terminal and os.environ.get("TERM") not in {"dumb", "unknown"}

    def print(self, entries: Iterable[Entry]) -> None:
        """Print the paragraphs; wrap them only on a terminal, so that others get whole lines."""
        width = self.console.width if self.is_terminal else None
        for entry in entries:
            lines = hanging_lines(entry, width)
            # rich must not wrap again: that would ignore the indent.
            self.console.print(Text("\n").join(lines), soft_wrap=True)

    def print_code(self, lines: Iterable[str]) -> None:
        """Print lines as they are, so that a user can copy them."""
        self.console.print(Text("\n").join(map(Text, lines)), soft_wrap=True)


def hanging_lines(entry: Entry, width: int | None) -> list[Text]:
    """Return the lines of a paragraph, at most `width` columns wide; None does not wrap."""
    lead, text = Text(entry.lead, entry.lead_style), Text(entry.text, entry.style)
    if width is None or not entry.is_wrapped:
        return [lead + text]
    indent = lead.cell_len
    if width - indent < _NARROWEST:
        indent = min(_SMALL_INDENT, width // 2)
        first = [*_wrapped(lead, width)] if entry.lead.strip() else []
        return [*first, *(Text(" " * indent) + line for line in _wrapped(text, width - indent))]
    first_line, *others = _wrapped(text, width - indent) or [Text()]
    return [lead + first_line, *(Text(" " * indent) + line for line in others)]


def _wrapped(text: Text, width: int) -> list[Text]:
    lines = text.wrap(Console(width=max(1, width)), max(1, width), overflow="fold")
    for line in lines:
        line.rstrip()
    return list(lines)
