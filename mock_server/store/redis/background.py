"""Repeat work in the background as long as a process uses Redis."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random

from mock_server.domain.errors import StoreUnavailable

log = logging.getLogger("mock_server.store")

_JITTER = 0.25  # Otherwise, all processes would work at the same instant.
# Not the generator of the module `random`: a server in a thread would change the random numbers of
# the tests of others.
_random = Random()  # noqa: S311


class Background:
    """The background work of one process."""

    def __init__(self) -> None:
        self._jobs: list[asyncio.Task[None]] = []
        self._is_closed = False

    def repeat(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Do some work again and again, about `every_s` seconds after it has finished."""
        self._jobs.append(asyncio.create_task(self._repeat(work, every_s)))

    async def aclose(self) -> None:
        """End all work. A call of redis-py may ignore the cancellation, so there is also a flag."""
        self._is_closed = True
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    async def _repeat(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        while not self._is_closed:
            await asyncio.sleep(every_s * _random.uniform(1 - _JITTER, 1 + _JITTER))
            try:
                await work()
            except StoreUnavailable:  # The connection has logged it, and tries to connect again.
                continue
            except Exception:
                log.exception("background work of the store failed")
