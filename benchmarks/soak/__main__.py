"""The command of `make soak`: load the mock for minutes, and check what is left afterwards.

The exit status is 0 if all checks pass, 1 if one fails, and 2 if the test cannot run.
"""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.options import CONTEXT, chosen, note, output_option, prepare
from benchmarks.results import write_json
from benchmarks.soak.callback_kinds import KINDS
from benchmarks.soak.report import report_text
from benchmarks.soak.run import SoakSettings, run_soak


class _Load(TypedDict):
    """The options that are settings of the load by their names."""

    minutes: float
    rate: int
    keys: int
    seed: int
    store: str
    workers: int


@click.command(context_settings=dict(CONTEXT))
@click.option(
    "--minutes",
    type=click.FloatRange(0.01, 24 * 60),
    metavar="N",
    default=10.0,
    help="Duration of the load, in minutes.",
)
@click.option(
    "--rate",
    type=click.IntRange(1, 1_000),
    metavar="N",
    default=100,
    help="Maximum rate of the load, in steps per second. A step is one or more requests.",
)
@click.option(
    "--keys",
    type=click.IntRange(1, 5_000),
    metavar="N",
    default=300,
    help="Number of API keys.",
)
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", default=1, help="Random seed of the load."
)
@click.option(
    "--store",
    metavar="STORE",
    default="memory",
    help="Store of the server: memory, sqlite:FILE or redis://HOST:PORT/DB.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 16),
    metavar="N",
    default=1,
    help="Number of processes of the server; more than 1 needs a store in Redis.",
)
@click.option(
    "--callbacks",
    metavar="KIND,…",
    show_default="all",
    help=f"Kinds of callback tasks: {', '.join(KINDS)}.",
)
@output_option("soak.json")
@click.pass_context
def main(
    context: click.Context, callbacks: str | None, output: Path, **load: Unpack[_Load]
) -> None:
    """Load the mock server with mixed traffic and faults, and check what is left afterwards."""
    kinds = chosen(callbacks, KINDS, "--callbacks")
    prepare(output)
    settings = SoakSettings(**load, kinds=list(kinds.values()))
    report = run_soak(settings, note)
    write_json(output, report)
    click.echo(report_text(report))
    note(f"written to {output}")
    context.exit(report.exit_status)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak")
