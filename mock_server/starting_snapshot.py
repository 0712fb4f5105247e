"""Restore the snapshot that the settings name when the server starts."""

import asyncio
from collections.abc import Callable

from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.store import Store

_PAUSE_S = 0.5


class StartingSnapshot:
    """Restores a snapshot once, if there is one. `problem` says why that is not done yet.

    A durable store may have the sandbox already, from an earlier start or another process. Then
    the snapshot is not restored, because that would undo what has happened since.
    """

    def __init__(
        self,
        snapshot: Snapshot | None,
        store: Store,
        dispatcher: CallbackDispatcher,
        *,
        real_ms: Callable[[], int],
        pause_s: float = _PAUSE_S,
    ) -> None:
        self.problem: str | None = None
        self._snapshot = snapshot  # It may be large, so it is forgotten afterwards.
        self._store = store
        self._dispatcher = dispatcher
        self._real_ms = real_ms
        self._pause_s = pause_s
        self._retrying: asyncio.Task[None] | None = None

    async def restore(self) -> None:
        """Restore the snapshot; if the store cannot be used now, keep trying in the background."""
        if not await self._try():
            self._retrying = asyncio.create_task(self._retry())

    async def aclose(self) -> None:
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)

    async def _retry(self) -> None:
        is_done = False
        while not is_done:
            await asyncio.sleep(self._pause_s)
            is_done = await self._try()

    async def _try(self) -> bool:
        """Try once; return whether the snapshot is restored or not needed."""
        try:
            await self._restore()
        except StoreUnavailable as error:
            self.problem = f"the snapshot of --restore is not restored yet; {error}"
            return False
        self.problem = self._snapshot = None
        return True

    async def _restore(self) -> None:
        snapshot, store = self._snapshot, self._store
        if snapshot is None:
            return
        if store.is_durable and await store.read(snapshot.id) is not None:
            return
        await store.open(snapshot.id, is_broke=False, real_ms=self._real_ms())
        await self._dispatcher.restore(snapshot.id, snapshot)
