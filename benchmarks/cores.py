"""Give the servers one core and the load another, so that neither takes time from the other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from benchmarks.errors import BenchError


class Cores(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of two cores of this machine."""

    server: int
    load: int


def choose_cores(wanted: str | None) -> Cores:
    """Return the cores of `wanted`, such as "0,1"; without it, the first two that may be used.

    Raise BenchError if the system cannot bind a process to a core, or has no second core.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise BenchError("this system cannot bind a process to a core; run the benchmarks on Linux")
    return cores_of(wanted, os.sched_getaffinity(0))


def cores_of(wanted: str | None, usable: set[int]) -> Cores:
    """Return the two cores of `wanted`, or the first two that are usable. Raise BenchError."""
    if wanted is None:
        if len(usable) < 2:
            raise BenchError(
                f"the benchmarks need two cores, one for the server and one for the load;"
                f" this process may use {len(usable)}"
            )
        server, load = sorted(usable)[:2]
        return Cores(server=server, load=load)
    numbers = wanted.split(",")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise BenchError(f'--cores: must be two numbers, such as "0,1" (got "{wanted}")')
    server, load = map(int, numbers)
    if server == load or not {server, load} <= usable:
        known = ", ".join(map(str, sorted(usable)))
        raise BenchError(f'--cores: must be two different cores of {known} (got "{wanted}")')
    return Cores(server=server, load=load)


@contextmanager
def bound_to(core: int) -> Iterator[None]:
    """Bind this process to a core. A process that starts in the block stays bound to it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
