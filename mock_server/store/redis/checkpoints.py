"""Write checkpoints, and trim the logs behind them."""

import asyncio
import logging
from collections.abc import Iterator

from redis.exceptions import ResponseError

from mock_server.domain.errors import StoreUnavailable
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.keys import CHECKPOINT, TRIMMED, SandboxKeys
from mock_server.store.redis.log import EntryId
from mock_server.store.redis.replica import Replica

log = logging.getLogger("mock_server.store")

_KEPT = 2  # Another process may be loading the older one.


class Checkpoints:
    def __init__(self, connection: RedisConnection, expiry: Expiry) -> None:
        self._connection = connection
        self._expiry = expiry
        self._jobs: set[asyncio.Task[None]] = set()

    def write(self, replica: Replica) -> None:
        """Write the state that a replica has now, in the background."""
        slices = replica.sandbox.checkpoint()
        job = asyncio.create_task(
            self._write(replica.keys, replica.epoch, replica.last, replica.real_ms, slices)
        )
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def aclose(self) -> None:
        await asyncio.gather(*self._jobs, return_exceptions=True)

    async def _write(
        self, keys: SandboxKeys, epoch: int, last: EntryId, real_ms: int, slices: Iterator[bytes]
    ) -> None:
        state = bytearray()
        for each in slices:
            state += each
            await asyncio.sleep(0)  # Requests come first.
        try:
            await self._send_state(keys, epoch, last, real_ms, bytes(state))
        except StoreUnavailable:
            return  # The log is not trimmed now. A later checkpoint trims it.
        except ResponseError as error:
            # Another process has written a later one, or the sandbox was removed meanwhile.
            log.debug("checkpoint %s of %s was not written: %s", last.text, keys.log, error)

    async def _send_state(
        self, keys: SandboxKeys, epoch: int, last: EntryId, real_ms: int, state: bytes
    ) -> None:
        fields = ("e", epoch, "r", real_ms, "s", state)
        before, written, _ = await self._connection.send(
            [
                ("ZSCORE", keys.meta, CHECKPOINT),
                ("XADD", keys.checkpoints, "MAXLEN", _KEPT, last.text, *fields),
                self._expiry.of_key(keys.checkpoints),
            ]
        )
        checked(written)
        trimmed_ms = int(float(checked(before) or 0))
        await self._connection.send(
            [
                # A process that reads the trimmed log must already find this number.
                ("ZADD", keys.meta, "GT", trimmed_ms, TRIMMED),
                ("ZADD", keys.meta, "GT", last.ms, CHECKPOINT),
                self._expiry.of_key(keys.meta),  # The sandbox may have been removed meanwhile.
                ("XTRIM", keys.log, "MINID", "~", trimmed_ms),
            ]
        )
