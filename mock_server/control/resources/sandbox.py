"""The caller's sandbox: settings, counters, reset."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mock_server.control.all_counters import counters_of
from mock_server.control.answers import Count
from mock_server.control.call import Call
from mock_server.control.changes import updated_settings
from mock_server.control.settings_types import SandboxChange, ShownSettings, shown_settings
from mock_server.domain.commands import ChangeSettings, Reset
from mock_server.domain.errors import SandboxChanged, SandboxDamaged, SandboxMissing
from mock_server.domain.ledger import MICRO
from mock_server.domain.profiles import Profiles
from mock_server.domain.results import Counters
from mock_server.domain.store import SandboxReader, Store


class EndedTasks(msgspec.Struct):
    success: Count
    failed: Count
    dropped: Count


class SandboxCounters(msgspec.Struct):
    requests: Count
    refused: Annotated[Count, Meta(description="Requests above a limit (429).")]
    responses: Annotated[
        dict[str, Count],
        Meta(description="The number of responses by status, with rejected requests and results."),
    ]
    tasks: EndedTasks
    live_tasks: Count
    balance: Annotated[float, Meta(description="Current balance in US dollars.")]
    journal_entries: Count
    journal_bytes: Count
    journal_dropped: Count

    @classmethod
    def of(cls, counters: Counters) -> "SandboxCounters":
        return cls(
            requests=counters.requests,
            refused=counters.rejected,
            responses={str(status): count for status, count in counters.responses.items()},
            tasks=EndedTasks(
                success=counters.succeeded,
                failed=counters.failed,
                dropped=counters.dropped_tasks,
            ),
            live_tasks=counters.live_tasks,
            balance=counters.balance_microusd / MICRO,
            journal_entries=counters.journal_entries,
            journal_bytes=counters.journal_bytes,
            journal_dropped=counters.journal_dropped,
        )


class SandboxDetail(msgspec.Struct):
    id: Annotated[str, Meta(description="A hash of the API key.")]
    settings: ShownSettings
    counters: SandboxCounters


class ResetQuery(msgspec.Struct):
    remove: Annotated[
        Literal["true", "false"],
        Meta(description="true: the key gets a new sandbox when it is used again."),
    ] = "false"


class SandboxResource:
    def __init__(
        self,
        store: Store,
        *,
        real_ms: Callable[[], int],
        default_generation_ms: int,
        profiles: Profiles,
    ) -> None:
        self._store = store
        self._real_ms = real_ms
        self._default_generation_ms = default_generation_ms
        self._profiles = profiles

    def calls(self) -> list[Call]:
        path = "/_mock/sandbox"
        return [
            Call("GET", path, self.show, "Show the settings and counters of the sandbox"),
            Call("PATCH", path, self.change, "Change settings of the sandbox"),
            Call(
                "DELETE",
                path,
                self.reset,
                "Reset the sandbox: delete everything and start again from the seed."
                " With `remove`, also remove it from the list of sandboxes",
            ),
        ]

    async def show(self, sandbox: SandboxReader) -> SandboxDetail:
        counters = await counters_of(self._store, sandbox, self._real_ms())
        return SandboxDetail(
            id=sandbox.id,
            settings=shown_settings(sandbox.settings, self._default_generation_ms),
            counters=SandboxCounters.of(counters),
        )

    async def change(self, sandbox: SandboxReader, body: SandboxChange) -> SandboxDetail:
        while not await self._is_changed(sandbox, body):
            found = await self._store.read(sandbox.id)
            if found is None:
                raise SandboxMissing(f"there is no sandbox {sandbox.id}")
            sandbox = found
        return await self.show(sandbox)

    async def _is_changed(self, sandbox: SandboxReader, body: SandboxChange) -> bool:
        """Change settings; return False if another process has changed them meanwhile."""
        update = updated_settings(sandbox.settings, body, self._profiles)
        change = ChangeSettings(
            real_ms=self._real_ms(),
            settings=update.settings,
            balance_microusd=update.balance_microusd,
            profile_rules=update.profile_rules,
            known_changes=sandbox.changes,
        )
        try:
            await self._store.execute(sandbox.id, change)
        except SandboxChanged:
            return False
        return True

    async def reset(self, sandbox_id: str, query: ResetQuery) -> None:
        if query.remove == "true":
            await self._store.remove(sandbox_id)
            return
        try:
            await self._store.execute(sandbox_id, Reset(real_ms=self._real_ms()))
        except SandboxDamaged:  # Nothing can be appended to its log, so another one begins.
            await self._store.remove(sandbox_id)
