"""All sandboxes of the server."""

from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from mock_server.control.all_counters import all_counters
from mock_server.control.call import Call
from mock_server.control.resources.sandbox import SandboxCounters
from mock_server.domain.store import SandboxReader, Store


class SandboxSummary(msgspec.Struct):
    id: Annotated[str, Meta(description="A hash of the API key.")]
    used_ms: Annotated[
        int, Meta(ge=0, description="Unix milliseconds of the last use, on the real clock.")
    ]
    counters: SandboxCounters


class SandboxList(msgspec.Struct):
    sandboxes: list[SandboxSummary]


def by_activity(sandboxes: Iterable[SandboxReader]) -> list[SandboxReader]:
    """Return the sandboxes with the last used one first."""
    return sorted(sandboxes, key=lambda each: each.used_ms, reverse=True)


class SandboxesResource:
    def __init__(self, store: Store, *, real_ms: Callable[[], int]) -> None:
        self._store = store
        self._real_ms = real_ms

    def calls(self) -> list[Call]:
        path = "/_mock/sandboxes"
        return [
            Call(
                "GET",
                path,
                self.show_all,
                "List all sandboxes with their counters, the last used first",
                caller="admin",
            ),
            Call("DELETE", path, self.drop, "Delete all sandboxes", caller="admin"),
        ]

    async def show_all(self) -> SandboxList:
        real_ms = self._real_ms()
        found = by_activity(await self._store.sandboxes())
        return SandboxList(
            sandboxes=[
                SandboxSummary(
                    id=sandbox.id,
                    used_ms=sandbox.used_ms,
                    counters=SandboxCounters.of(counters),
                )
                async for sandbox, counters in all_counters(self._store, found, real_ms)
            ]
        )

    async def drop(self) -> None:
        await self._store.drop_all()
