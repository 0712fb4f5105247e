"""Print the tables of docs/performance.md, or write them into it."""

import re
from pathlib import Path

import click

from benchmarks.errors import BenchError
from benchmarks.figures import FIGURES
from benchmarks.machine import Machine
from benchmarks.peers.results import PeerResults
from benchmarks.peers.tables import peers_markdown
from benchmarks.results import Results, read_json
from benchmarks.tables import markdown


def figures_section(results: Results) -> str:
    """Return the figures that have a target, then the numbers that they are made of."""
    judged, others = [], []
    for name, found in results.figures.items():
        figure, rounds = FIGURES[name], found.rounds
        spread = [figure.number_text(each) for each in (rounds.min, rounds.median, rounds.max)]
        if figure.target is None:
            others.append([f"`{name}`", figure.title, *spread])
        else:
            limits = [figure.limit_text(each) for each in (figure.target, figure.goal)]
            judged.append([f"`{name}`", figure.title, *limits, *spread])
    tables = [
        markdown(["figure", "measures", "target", "goal", "min", "median", "max"], judged),
        markdown(["number", "measures", "min", "median", "max"], others),
    ]
    return "\n\n".join([_source_text(results.date, results.commit, results.machine), *tables])


def peers_section(results: PeerResults) -> str:
    source = _source_text(results.date, results.commit, results.machine)
    return f"{source}\n\n{peers_markdown(results)}"


def replaced(page: str, name: str, content: str) -> str:
    """Return the page with another content between the marks of a name.

    The marks are `<!-- name -->` and `<!-- end of name -->`. Raise BenchError without them.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    found = re.compile(f"{re.escape(first)}.*?{re.escape(last)}", re.DOTALL)
    if len(found.findall(page)) != 1:
        raise BenchError(f"the page must have {first} and {last} once")
    return found.sub(lambda _: f"{first}\n\n{content}\n\n{last}", page)


def _source_text(date: str, commit: str | None, machine: Machine) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    return (
        f"Measured on {date[:10]}{f' at commit {commit}' if commit else ''}: {machine.cpu},"
        f" {machine.cores} cores, {machine.kernel}, Python {machine.python}, {libraries}."
    )


@click.command()
@click.argument("figures", type=click.Path(path_type=Path))
@click.argument("peers", type=click.Path(path_type=Path), required=False)
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PAGE",
    help="Page to write the tables into, such as docs/performance.md.",
)
def main(figures: Path, peers: Path | None, into: Path | None) -> None:
    """Print the tables of FIGURES (bench.json) and PEERS (bench-peers.json) in Markdown."""
    sections = {"figures": figures_section(read_json(figures, Results))}
    if peers is not None:
        sections["peers"] = peers_section(read_json(peers, PeerResults, "make bench-peers"))
    if into is None:
        click.echo("\n\n".join(sections.values()))
        return
    page = into.read_text("utf-8")
    for name, content in sections.items():
        page = replaced(page, name, content)
    into.write_text(page, "utf-8")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.page")
