"""What the command reads and where it writes, checked before anything is sent."""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from client_reference.command.text import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt of many: its place among them, from 0, and its line in the file, from 1."""

    index: int
    line: int
    text: str


def prompts_of(name: str) -> list[Prompt]:
    """Read a prompt a line from the file, or from standard input for `-`; skip blank lines."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise click.UsageError(f"{shown(name)}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{shown(name)}: is not UTF-8 at byte {error.start}") from error
    written = [(line, text.strip()) for line, text in enumerate(lines, 1) if text.strip()]
    if not written:
        raise click.UsageError(f"{shown(name)}: holds no prompt")
    return [Prompt(index=index, line=line, text=text) for index, (line, text) in enumerate(written)]


def check_directory(directory: Path) -> None:
    """Refuse what cannot take files; make nothing yet, as the submit may still be refused."""
    nearest = next(
        (path for path in (directory, *directory.parents) if os.path.lexists(path)), directory
    )
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise click.UsageError(
            f"-o {shown(str(directory))}: cannot write to {shown(str(nearest))}: {error.strerror}"
        ) from error
