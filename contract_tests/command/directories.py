"""Directories that a command reads or writes."""

import tempfile
from pathlib import Path
from typing import Final

import click

DIRECTORY: Final = click.Path(path_type=Path, file_okay=False)
EXISTING_DIRECTORY: Final = click.Path(path_type=Path, file_okay=False, exists=True)


def make_directory(directory: Path) -> Path:
    """Create the directory before anything is sent, and return it.

    Raise UsageError if that fails, or if no file can be written there.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError as error:
        raise click.UsageError(f"{directory}: {error.strerror}") from error
