"""What the commands `benchmarks` and `benchmarks.peers` have in common."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from benchmarks.errors import BenchError
from benchmarks.machine import Machine

CONTEXT: Mapping[str, object] = {"show_default": True, "max_content_width": 100}
_BUSY = 0.5  # The load average above which other processes disturb the measurement.

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def only_option(kind: str, known: Mapping[str, object]) -> Callable[[F], F]:
    return click.option(
        "--only",
        metavar=f"{kind.upper()},…",
        show_default="all",
        help=f"{kind.capitalize()}s to measure: {', '.join(known)}.",
    )


def seconds_option() -> Callable[[F], F]:
    return click.option(
        "--seconds",
        type=click.IntRange(1, 60),
        metavar="N",
        default=1,
        help="Duration of each load, in seconds.",
    )


def cores_option() -> Callable[[F], F]:
    return click.option(
        "--cores",
        metavar="SERVER,LOAD",
        show_default="the first two",
        help="Numbers of the cores for the servers and for the load.",
    )


def output_option(default: str) -> Callable[[F], F]:
    return click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        default=default,
        help="File for the figures, as JSON.",
    )


def chosen(only: str | None, known: Mapping[str, T], switch: str = "--only") -> dict[str, T]:
    """Return what a switch names, in the usual order. Raise BenchError for an unknown name."""
    if only is None:
        return dict(known)
    names = [name.strip() for name in only.split(",")]
    for name in names:
        if name not in known:
            raise BenchError(f'{switch}: must be some of {", ".join(known)} (got "{name}")')
    return {name: each for name, each in known.items() if name in names}


def prepare(output: Path) -> None:
    """Make sure that a long run can be stopped and that its results can be written.

    Raise BenchError if there can be no file at this path.
    """
    # The exception ends the blocks that run servers; without it they would outlive this process.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise BenchError(f"--output: {output} cannot be written; name a file in another folder")


def note(text: str) -> None:
    """Print progress to standard error."""
    click.echo(text, file=sys.stderr)


def warn_if_busy(machine: Machine) -> None:
    if machine.load_average > _BUSY:
        note(
            f"warning: the machine is busy (load average {machine.load_average}):"
            " the figures will vary"
        )
