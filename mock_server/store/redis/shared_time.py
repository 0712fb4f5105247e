"""The real time that all processes of a mock share, although the clocks of machines differ."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from mock_server.domain.ports import RealClock
from mock_server.store.real_time import catch_up
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.keys import SANDBOXES
from mock_server.store.redis.processes import Processes

log = logging.getLogger("mock_server.store")

# A clock that differs by more is not only inexact: it, or that of the others, has been set.
_SET_MS = 60_000

Send: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Reply]]]


class SharedTime:
    """Synchronizes the clock of this process with those of the others.

    The latest instant counts, so that time never goes back. Only a process that starts may set its
    clock back: if the others were running when the clock of the machine was set forward, they do
    not follow it, and tasks must not end because a process was replaced.
    """

    def __init__(self, clock: RealClock, processes: Processes) -> None:
        self._clock = clock
        self._processes = processes
        self._has_joined = False

    async def join(self, send: Send) -> None:
        """Continue from the time of the others, or from the last use of any sandbox."""
        others_ms = await self._processes.time_of_others(send)
        if others_ms is None:
            [last_used] = await send([("ZRANGE", SANDBOXES, 0, 0, "REV", "WITHSCORES")])
            others_ms = int(float(last_used[1])) if last_used else 0
        elif not self._has_joined:
            ahead_ms = self._clock.now_ns() // 1_000_000 - others_ms
            if ahead_ms > _SET_MS:
                self._clock.shift(-ahead_ms)
                log.warning(
                    "the clock of this machine is %.0f s ahead of the other processes; the server"
                    " continues with their time",
                    ahead_ms / 1000,
                )
        self._has_joined = True
        self.catch_up(others_ms)

    def catch_up(self, real_ms: int) -> None:
        """Let the clock show at least this real instant, which another process has seen."""
        catch_up(self._clock, real_ms)
