"""Measure the longest stall of each case."""

from collections.abc import Iterator

import msgspec

from benchmarks.stalls.cases import CASES, Case
from benchmarks.stalls.watched import Watched


def longest_stalls_ms(watched: Watched) -> Iterator[tuple[str, float]]:
    """Yield the name of each case and its longest stall, in CPU time."""
    for case in CASES:
        yield case.name, _longest_stall_ms(watched, case)


def _longest_stall_ms(watched: Watched, case: Case) -> float:
    mock = msgspec.structs.replace(watched.mock, key=f"stalls-{case.name}")
    steps = case.steps(mock)
    next(steps)
    watched.longest_stall_ms()
    next(steps, None)
    stall_ms = watched.longest_stall_ms()
    mock.reset()
    return stall_ms
