"""The sandboxes that this process has a copy of, and how new ones begin in Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from secrets import randbits
from typing import Any

from redis.exceptions import ResponseError

from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.store.redis.client import Command
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.keys import SANDBOXES, SERVER, SandboxKeys
from mock_server.store.redis.loader import Loader
from mock_server.store.redis.log import begin
from mock_server.store.redis.replica import Replica
from mock_server.store.redis.server_records import ServerRecords
from mock_server.store.redis.shared_time import SharedTime

_EPOCH_BITS = 53  # A score in Redis is a float, which is exact up to here.
_MAX_KNOWN = 10_000
_LOST = "Redis had lost its data; the sandbox began anew with this request"


class Replicas:
    """Loads each sandbox once, however many requests need it at the same time."""

    def __init__(
        self,
        connection: RedisConnection,
        loader: Loader,
        *,
        servers: ServerRecords,
        expiry: Expiry,
        time: SharedTime,
        greet: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._loader = loader
        self._servers = servers
        self._expiry = expiry
        self._time = time
        self._greet = greet
        self._by_id: dict[str, Replica] = {}
        self._loading: dict[str, asyncio.Task[Replica | None]] = {}
        self._beginning: dict[str, asyncio.Task[int]] = {}
        # The `instance` of the data in Redis in which this process has seen each sandbox.
        self._known: dict[str, str] = {}

    def get(self, sandbox_id: str) -> Replica | None:
        return self._by_id.get(sandbox_id)

    def all(self) -> list[Replica]:
        return list(self._by_id.values())

    async def load(self, sandbox_id: str) -> Replica | None:
        """Load a sandbox of which there is no replica; return None if it does not exist."""
        job = self._loading.get(sandbox_id)
        if job is None:
            job = self._loading[sandbox_id] = asyncio.create_task(self._load(sandbox_id))
            job.add_done_callback(_retrieve)
        return await asyncio.shield(job)

    async def begin(self, sandbox_id: str, *, is_broke: bool, real_ms: int) -> int:
        """Create a sandbox, unless another process does so; return the number of all sandboxes.

        Of several requests of this process, the first one creates it, and returns the number.
        """
        job = self._beginning.get(sandbox_id)
        if job is not None:
            await asyncio.shield(job)
            return 0
        job = asyncio.create_task(self._begin(sandbox_id, is_broke=is_broke, real_ms=real_ms))
        self._beginning[sandbox_id] = job
        job.add_done_callback(lambda _: self._beginning.pop(sandbox_id))
        job.add_done_callback(_retrieve)
        return await asyncio.shield(job)

    async def _begin(self, sandbox_id: str, *, is_broke: bool, real_ms: int) -> int:
        if await self._send(("GET", SERVER)) == [None]:
            await self._greet()
        is_lost = self._known.get(sandbox_id, self._servers.instance) != self._servers.instance
        template = self._servers.template
        sandbox = Sandbox(sandbox_id, template, is_broke=is_broke, real_ms=real_ms)
        keys = SandboxKeys(sandbox_id)
        # A process that ends in between leaves a sandbox in the list that does not exist. That is
        # harmless, but nobody would find a sandbox that is not in the list.
        listing = [
            ("ZADD", SANDBOXES, "GT", real_ms, sandbox_id),
            self._expiry.of_shared(SANDBOXES),
        ]
        beginning = begin(keys, randbits(_EPOCH_BITS), b"".join(sandbox.checkpoint()))
        replies = await self._connection.send(
            [*listing, *beginning, *self._expiry.of_keys(keys), ("ZCARD", SANDBOXES)],
            first=len(listing),
        )
        try:
            checked(replies[len(listing)])
        except ResponseError as error:  # There is no sandbox, but a key of another type.
            raise self._loader.unreadable(sandbox_id, error) from error
        *_, count = map(checked, replies)
        begun = self.get(sandbox_id) or await self.load(sandbox_id)
        if begun is not None and is_lost:
            begun.note = _LOST
        return int(count)

    def drop(self, replica: Replica) -> bool:
        """Forget a replica; return False if it was forgotten already."""
        if self._by_id.get(replica.sandbox.id) is not replica:
            return False
        del self._by_id[replica.sandbox.id]
        return True

    def forget(self, sandbox_id: str) -> None:
        """Note that a sandbox was removed on purpose."""
        self._known.pop(sandbox_id, None)

    def drop_idle(self, is_needed: Callable[[str], bool]) -> None:
        """Forget the replicas that nobody has used since the last call."""
        for sandbox_id, replica in list(self._by_id.items()):
            if not replica.is_used and not is_needed(sandbox_id):
                del self._by_id[sandbox_id]
            replica.is_used = False

    async def _load(self, sandbox_id: str) -> Replica | None:
        try:
            replica = await self._loader.load(sandbox_id)
        finally:
            del self._loading[sandbox_id]
        if replica is not None:
            self._time.catch_up(replica.real_ms)
            self._by_id[sandbox_id] = replica
            self._know(sandbox_id)
        return replica

    def _know(self, sandbox_id: str) -> None:
        self._known.pop(sandbox_id, None)
        self._known[sandbox_id] = self._servers.instance
        if len(self._known) > _MAX_KNOWN:
            del self._known[next(iter(self._known))]

    async def _send(self, *commands: Command) -> list[Any]:
        return [checked(reply) for reply in await self._connection.send(commands)]


def _retrieve(job: asyncio.Task[Any]) -> None:
    """Retrieve the error of a job for which nobody waits any more."""
    if not job.cancelled():
        job.exception()
