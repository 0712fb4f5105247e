"""The command of `make bench`: measure, write `bench.json` and print a table."""

from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.cores import bound_to, choose_cores
from benchmarks.figures import FIGURES, Measured, spread
from benchmarks.machine import commit, now_text, this_machine
from benchmarks.options import (
    CONTEXT,
    chosen,
    cores_option,
    note,
    only_option,
    output_option,
    prepare,
    seconds_option,
    warn_if_busy,
)
from benchmarks.parts import PARTS
from benchmarks.results import Results, write_json
from benchmarks.rounds import RoundLimits, is_settled, run_rounds
from benchmarks.tables import disturbance_text, figures_text
from benchmarks.workbench import Part, Workbench
from benchmarks.wrk import CONNECTIONS, Wrk


@click.command(context_settings=dict(CONTEXT))
@only_option("part", PARTS)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    metavar="N",
    show_default="until the medians are stable",
    help="Number of rounds of each part.",
)
@seconds_option()
@cores_option()
@output_option("bench.json")
def main(
    only: str | None, rounds: int | None, seconds: int, cores: str | None, output: Path
) -> None:
    """Measure the mock server, print the figures and write them to a file."""
    parts = chosen(only, PARTS)
    two_cores = choose_cores(cores)
    prepare(output)
    bench = Workbench(cores=two_cores, wrk=Wrk(seconds=seconds))
    date, machine = now_text(), this_machine(two_cores)
    warn_if_busy(machine)
    figures: dict[str, Measured] = {}
    for part in parts.values():
        with bound_to(two_cores.load):  # Servers start on their own core.
            figures |= measured_part(part, bench, rounds)
        # The file is complete after each part, so an interrupted run keeps its figures.
        results = Results(
            date=date,
            commit=commit(),
            machine=machine,
            connections=CONNECTIONS,
            load_s=seconds,
            figures=figures,
        )
        write_json(output, results)
    click.echo(figures_text(figures))
    if warning := disturbance_text(figures):
        note(warning)
    note(f"written to {output}; compare with the targets: python -m benchmarks.check {output}")


def measured_part(part: Part, bench: Workbench, rounds: int | None) -> dict[str, Measured]:
    """Measure a part, by default until the medians of its decisive figures are stable."""
    limits = part.limits if rounds is None else RoundLimits(least=rounds, most=rounds)
    tolerances = {name: FIGURES[name].tolerance for name in part.decisive}
    note(f"{part.name}: {part.measures}; {limits}")
    values = run_rounds(part.rounds(bench), limits, tolerances, _report_round)
    return {
        name: Measured(
            title=FIGURES[name].title,
            unit=FIGURES[name].unit,
            is_settled=name not in tolerances or is_settled(found, tolerances[name]),
            rounds=spread(found),
        )
        for name, found in values.items()
    }


def _report_round(values: Mapping[str, float]) -> None:
    shown = (
        f"{name} {FIGURES[name].number_text(value)}"
        for name, value in values.items()
        if FIGURES[name].target is not None
    )
    note(f"  {', '.join(shown)}")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
