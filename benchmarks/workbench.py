"""What every measurement needs."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from benchmarks.cores import Cores
from benchmarks.processes import Server
from benchmarks.rounds import RoundLimits, Rounds, alternating
from benchmarks.wrk import Request, Wrk


class ServerLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured while a server was under load."""

    per_s: float
    p99_us: float
    cpu_us: float  # The time that the server's process ran, per request.
    core_share: float  # The share of the time that it ran; 1 if only the server limits the rate.


class Workbench(msgspec.Struct, frozen=True, kw_only=True):
    """Two cores and a load generator."""

    cores: Cores
    wrk: Wrk

    def load(self, server: Server, request: Request) -> ServerLoad:
        """Load a server with a request and return what was measured."""
        before_s = server.cpu_s
        load = self.wrk.load(server.url, request)
        cpu_us = (server.cpu_s - before_s) * 1e6
        return ServerLoad(
            per_s=load.per_s,
            p99_us=load.p99_us,
            cpu_us=cpu_us / load.requests,
            core_share=cpu_us / load.duration_us,
        )

    def loads(
        self, targets: Mapping[str, tuple[Server, Request]]
    ) -> Iterator[dict[str, ServerLoad]]:
        """Warm the servers up, then yield what is measured at each of them, round by round."""
        for server, request in targets.values():
            self.wrk.warm_up(server.url, request)
        return alternating({name: partial(self.load, *target) for name, target in targets.items()})


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison that can be measured alone, round by round."""

    name: str
    measures: str
    decisive: tuple[str, ...]  # The figures that must settle before the rounds end.
    limits: RoundLimits
    rounds: Callable[[Workbench], Rounds]
