"""Start the program `benchmarks.bare`, which the mock is compared with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.processes import Server, free_port, running
from benchmarks.requests import submit_request
from benchmarks.wrk import Request


def bare_command(name: str, port: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.bare", name, str(port)]


@contextmanager
def bare_server(name: str, core: int) -> Iterator[Server]:
    """Run the callable `status` or `submit` on a core until the block ends."""
    port = free_port()
    probe = submit_request() if name == "submit" else Request(paths=["/"])
    with running(bare_command(name, port), port=port, probe=probe, core=core) as server:
        yield server
