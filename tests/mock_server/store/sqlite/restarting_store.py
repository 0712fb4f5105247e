"""A sqlite store whose process is killed and started again every few commands."""

import asyncio
from collections.abc import Callable
from typing import Any

from mock_server.domain.commands import Command, R
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.events import Follower
from mock_server.domain.store import Store
from mock_server.store.sqlite.store import SqliteStore


def kill(store: SqliteStore) -> None:
    """Do what the end of a process does to a store: its file is closed, and nothing happens."""
    for handle in (store._flush_handle, store._compactor._step_handle):
        if handle is not None:
            handle.cancel()
    store._file.close()


async def persisted(store: Store) -> None:
    """Wait until all commands so far are in the file."""
    written: asyncio.Future[StoreUnavailable | None] = asyncio.get_running_loop().create_future()
    store.after_persist(written.set_result)
    error = await written
    if error is not None:
        raise error


def contents(store: SqliteStore) -> dict[str, bytes]:
    """Return the exact state of every sandbox."""
    return {each.id: b"".join(each.checkpoint()) for each in store._sandboxes.values()}


class RestartingStore:
    """Implements `Store`. Before every n-th command, another process takes over the file.

    It must find exactly the sandboxes that the process before it had.
    """

    def __init__(self, open_store: Callable[[], SqliteStore], every: int) -> None:
        self._open = open_store
        self._every = every
        self._count = 0
        self.store = open_store()
        self._followers: list[tuple[str, Follower]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        self._count += 1
        if self._count % self._every == 0:
            await self.restart()
        result = await self.store.execute(sandbox_id, command)
        await persisted(self.store)
        return result

    def follow(self, sandbox_id: str, follower: Follower, *, is_passive: bool = False) -> None:
        self._followers.append((sandbox_id, follower))
        self.store.follow(sandbox_id, follower, is_passive=is_passive)

    def unfollow(self, sandbox_id: str, follower: Follower) -> None:
        self._followers.remove((sandbox_id, follower))
        self.store.unfollow(sandbox_id, follower)

    async def restart(self) -> None:
        await persisted(self.store)
        before = contents(self.store)
        kill(self.store)
        self.store = self._open()
        assert contents(self.store) == before
        for sandbox_id, follower in self._followers:
            self.store.follow(sandbox_id, follower)
