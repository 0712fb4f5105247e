"""Compare the figures of `bench.json` with their targets, one line each.

The exit status is 0 if all targets are met, 1 if one is missed or was not measured, and 2 if the
file is invalid.
"""

from enum import StrEnum
from pathlib import Path

import click
import msgspec

from benchmarks.figures import FIGURES, Figure, Measured
from benchmarks.results import Results, read_json
from benchmarks.tables import columns, disturbance_text


class Verdict(StrEnum):
    GOAL = "goal reached"
    MET = "met"
    MISSED = "MISSED"
    UNMEASURED = "NOT MEASURED"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """How a figure compares with its target."""

    figure: Figure
    found: Measured | None
    verdict: Verdict

    @property
    def row(self) -> list[str]:
        figure, found = self.figure, self.found
        return [
            figure.name,
            "-" if found is None else figure.number_text(found.rounds.median),
            figure.limit_text(figure.target),
            figure.limit_text(figure.goal),
            self.verdict if found is None or found.is_settled else f"{self.verdict} (not stable)",
        ]


def judgements(figures: dict[str, Measured]) -> list[Judgement]:
    """Judge the median of every figure that has a target."""
    return [
        Judgement(figure=figure, found=figures.get(name), verdict=_verdict(figure, figures))
        for name, figure in FIGURES.items()
        if figure.target is not None
    ]


def _verdict(figure: Figure, figures: dict[str, Measured]) -> Verdict:
    found = figures.get(figure.name)
    if found is None:
        return Verdict.UNMEASURED
    if figure.target is None or not figure.reaches(found.rounds.median, figure.target):
        return Verdict.MISSED
    if figure.goal is not None and figure.reaches(found.rounds.median, figure.goal):
        return Verdict.GOAL
    return Verdict.MET


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def main(context: click.Context, file: Path) -> None:
    """Compare the figures in FILE, which `make bench` wrote, with their targets."""
    figures = read_json(file, Results).figures
    judged = judgements(figures)
    head = ["figure", "measured", "target", "goal", "verdict"]
    click.echo(columns([head, *(each.row for each in judged)]))
    if warning := disturbance_text(figures):
        click.echo(warning, err=True)
    is_bad = {each.verdict for each in judged} & {Verdict.MISSED, Verdict.UNMEASURED}
    context.exit(1 if is_bad else 0)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.check")
