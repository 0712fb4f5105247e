"""The command of `make bench-peers`: measure, write `bench-peers.json` and print a table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

import click

from benchmarks.cores import bound_to, choose_cores
from benchmarks.figures import spread
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
from benchmarks.peers.contenders import CONTENDERS, Contender, Endpoint
from benchmarks.peers.results import ContenderResults, OperationResults, PeerResults
from benchmarks.peers.tables import peers_text
from benchmarks.results import write_json
from benchmarks.rounds import alternating
from benchmarks.wrk import CONNECTIONS, Load, Wrk

_WARM_UP_S = 5  # Compilers of Java and JavaScript need some time under load.

Loads = dict[str, Load]


@click.command(context_settings=dict(CONTEXT))
@only_option("server", CONTENDERS)
@click.option("--rounds", type=click.IntRange(1), metavar="N", default=7, help="Number of rounds.")
@seconds_option()
@cores_option()
@output_option("bench-peers.json")
def main(only: str | None, rounds: int, seconds: int, cores: str | None, output: Path) -> None:
    """Compare the mock with general mock servers, print a table and write a file.

    The servers are installed with npm into .cache/peers.
    """
    starts = chosen(only, CONTENDERS)
    two_cores = choose_cores(cores)
    prepare(output)
    wrk = Wrk(seconds=seconds)
    date, machine = now_text(), this_machine(two_cores)
    warn_if_busy(machine)
    with ExitStack() as stack:
        stack.enter_context(bound_to(two_cores.load))  # Servers start on their own core.
        running: dict[str, Contender] = {}
        for name, start in starts.items():
            note(f"starting {name}")
            running[name] = stack.enter_context(start(two_cores.server))
        status = list(_rounds("status", islice(_status_loads(wrk, running), rounds)))
        submit = list(_rounds("submit", islice(_submit_loads(wrk, running), rounds)))
    results = PeerResults(
        date=date,
        commit=commit(),
        machine=machine,
        connections=CONNECTIONS,
        load_s=seconds,
        peers={
            name: ContenderResults(
                version=contender.version,
                status=_summary([loads[name] for loads in status]),
                submit=_summary([loads[name] for loads in submit]),
            )
            for name, contender in running.items()
        },
    )
    write_json(output, results)
    click.echo(peers_text(results))
    note(f"written to {output}")


def _rounds(operation: str, rounds: Iterator[Loads]) -> Iterator[Loads]:
    """Yield the rounds and print each one."""
    note(f"{operation}: warming up")
    for loads in rounds:
        note("  " + ", ".join(f"{name} {load.per_s:,.0f}/s" for name, load in loads.items()))
        yield loads


def _status_loads(wrk: Wrk, running: dict[str, Contender]) -> Iterator[Loads]:
    def load(contender: Contender) -> Load:
        return wrk.load(contender.status.url, contender.status.request)

    _warm_up(wrk, [contender.status for contender in running.values()])
    return alternating({name: partial(load, contender) for name, contender in running.items()})


def _submit_loads(wrk: Wrk, running: dict[str, Contender]) -> Iterator[Loads]:
    def load(contender: Contender) -> Load:
        contender.reset()
        return wrk.load(contender.submit.url, contender.submit.request)

    _warm_up(wrk, [contender.submit for contender in running.values()])
    return alternating({name: partial(load, contender) for name, contender in running.items()})


def _warm_up(wrk: Wrk, endpoints: Iterable[Endpoint]) -> None:
    for endpoint in endpoints:
        endpoint.check()
        wrk.warm_up(endpoint.url, endpoint.request, _WARM_UP_S)


def _summary(loads: Sequence[Load]) -> OperationResults:
    return OperationResults(
        per_s=spread([load.per_s for load in loads]),
        p50_us=spread([load.p50_us for load in loads]),
        p99_us=spread([load.p99_us for load in loads]),
    )


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.peers")
