"""Print figures as a table: with columns for a terminal, or in Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.figures import FIGURES, Measured

_UNSETTLED = " *"
_CORE_SHARE = "_core_share"
_LEAST_CORE_SHARE = 0.9


def figures_text(figures: Mapping[str, Measured]) -> str:
    """Return a table of the figures for a terminal."""
    rows = [["figure", "min", "median", "max", "rounds", "target"]]
    for name, found in figures.items():
        figure, rounds = FIGURES[name], found.rounds
        rows.append(
            [
                name,
                *map(figure.number_text, (rounds.min, rounds.median, rounds.max)),
                f"{len(rounds.values)}{'' if found.is_settled else _UNSETTLED}",
                figure.limit_text(figure.target),
            ]
        )
    text = columns(rows)
    if not all(found.is_settled for found in figures.values()):
        text += f"\n{_UNSETTLED.strip()} the median was not stable after the last round"
    return text


def disturbance_text(figures: Mapping[str, Measured]) -> str | None:
    """Return a warning if a server could not use its core; None if nothing limited the servers.

    Then the rates are those of wrk or of other programs, and their ratios are closer to 1.
    """
    shares = [found.rounds.median for name, found in figures.items() if name.endswith(_CORE_SHARE)]
    if not shares or min(shares) >= _LEAST_CORE_SHARE:
        return None
    return (
        f"warning: a server ran only {min(shares):.0%} of the time under load: other programs or"
        " wrk limited it;\nmeasure the rates again on a quiet machine"
    )


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows with the first column on the left, and all others on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    marks = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))
