"""A complete measurement without a machine."""

from benchmarks.figures import FIGURES, Measured, spread
from benchmarks.machine import Machine
from benchmarks.peers.results import ContenderResults, OperationResults, PeerResults
from benchmarks.results import Results

MACHINE = Machine(
    cpu="A CPU",
    cores=2,
    server_core=0,
    load_core=1,
    kernel="Linux 6.1",
    python="3.11.7",
    libraries={"uvicorn": "0.54.0"},
    load_average=0.0,
)


def results(**medians: float) -> Results:
    """Return figures that reach exactly their targets, but for those with a median here."""
    return Results(
        date="2026-11-28T09:30:00Z",
        commit="0123456789ab",
        machine=MACHINE,
        connections=32,
        load_s=2,
        figures={
            name: Measured(
                title=figure.title,
                unit=figure.unit,
                is_settled=True,
                rounds=spread([medians.get(name, figure.target or 1.0)]),
            )
            for name, figure in FIGURES.items()
        },
    )


def peer_results() -> PeerResults:
    operation = OperationResults(
        per_s=spread([900.0, 1_000.0]), p50_us=spread([1_500]), p99_us=spread([2_500])
    )
    return PeerResults(
        date="2026-11-28T09:30:00Z",
        commit=None,
        machine=MACHINE,
        connections=32,
        load_s=2,
        peers={"wiremock": ContenderResults(version="3", status=operation, submit=operation)},
    )
