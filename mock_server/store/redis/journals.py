"""Keep the journals of the replicas of this process within the limit of their memory."""

import asyncio

from mock_server.domain.commands import TrimJournal
from mock_server.domain.ports import RealClock
from mock_server.store.journal_bound import trimmed_sizes
from mock_server.store.redis.pump import Pump
from mock_server.store.redis.replicas import Replicas


class Journals:
    """Trims the largest journals by commands, so that all processes drop the same entries.

    Several processes may do so at the same time: a journal that is small enough stays as it is.
    """

    def __init__(self, replicas: Replicas, pump: Pump, clock: RealClock, max_bytes: int) -> None:
        self._replicas = replicas
        self._pump = pump
        self._clock = clock
        self._max_bytes = max_bytes

    async def trim(self) -> None:
        """Drop the oldest entries of the largest journals if all journals need too much memory."""
        sizes = {each.sandbox.id: each.sandbox.journal.bytes for each in self._replicas.all()}
        real_ms = self._clock.now_ns() // 1_000_000
        sent = []
        for sandbox_id, max_bytes in trimmed_sizes(sizes, self._max_bytes).items():
            replica = self._replicas.get(sandbox_id)
            if replica is not None:
                trim = TrimJournal(real_ms=real_ms, max_bytes=max_bytes)
                sent.append(self._pump.execute(replica, trim))
        # A sandbox may have been removed meanwhile. After any other error, the next call tries.
        await asyncio.gather(*sent, return_exceptions=True)
