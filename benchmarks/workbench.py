"""What every measurement needs."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from benchmarks.cores import Cores
from benchmarks.rounds import RoundLimits, Rounds, alternating
from benchmarks.wrk import Load, Request, Wrk


class Workbench(msgspec.Struct, frozen=True, kw_only=True):
    """Two cores and a load generator."""

    cores: Cores
    wrk: Wrk

    def loads(self, targets: Mapping[str, tuple[str, Request]]) -> Iterator[dict[str, Load]]:
        """Warm the servers up, then yield what wrk measures at each of them, round by round."""
        for url, request in targets.values():
            self.wrk.warm_up(url, request)
        return alternating(
            {name: partial(self.wrk.load, *target) for name, target in targets.items()}
        )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison that can be measured alone, round by round."""

    name: str
    measures: str
    decisive: tuple[str, ...]  # The figures that must settle before the rounds end.
    limits: RoundLimits
    rounds: Callable[[Workbench], Rounds]
