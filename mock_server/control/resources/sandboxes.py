"""All sandboxes of the server."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from mock_server.control.call import Call
from mock_server.control.resources.sandbox import SandboxCounters
from mock_server.domain.commands import ReadCounters
from mock_server.domain.store import Store


class SandboxSummary(msgspec.Struct):
    id: Annotated[str, Meta(description="A hash of the API key.")]
    counters: SandboxCounters


class SandboxList(msgspec.Struct):
    sandboxes: list[SandboxSummary]


class SandboxesResource:
    def __init__(self, store: Store, *, real_ms: Callable[[], int]) -> None:
        self._store = store
        self._real_ms = real_ms

    def calls(self) -> list[Call]:
        path = "/_mock/sandboxes"
        return [
            Call(
                "GET", path, self.show_all, "List all sandboxes with their counters", caller="admin"
            ),
            Call("DELETE", path, self.drop, "Delete all sandboxes", caller="admin"),
        ]

    async def show_all(self) -> SandboxList:
        real_ms = self._real_ms()
        return SandboxList(
            sandboxes=[
                SandboxSummary(
                    id=sandbox.id,
                    counters=SandboxCounters.of(
                        await self._store.execute(sandbox.id, ReadCounters(real_ms=real_ms))
                    ),
                )
                for sandbox in await self._store.sandboxes()
            ]
        )

    async def drop(self) -> None:
        await self._store.drop_all()
