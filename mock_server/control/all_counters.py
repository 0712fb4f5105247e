"""The counters of sandboxes, read in portions: other requests are served in between."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice

from mock_server.control.ended_tasks import settle_ended
from mock_server.control.slices import Slices
from mock_server.domain.commands import ReadCounters
from mock_server.domain.errors import SandboxDamaged, SandboxMissing
from mock_server.domain.results import Counters
from mock_server.domain.store import SandboxReader, Store

_PORTION = 50


async def all_counters(
    store: Store, sandboxes: Iterable[SandboxReader], real_ms: int
) -> AsyncIterator[tuple[SandboxReader, Counters]]:
    """Yield each sandbox with its counters, without those that were removed meanwhile.

    A command is executed only for sandboxes whose tasks have ended since their last command.
    """
    left = iter(sandboxes)
    while portion := list(islice(left, _PORTION)):
        counters = await asyncio.gather(*(_counters(store, each, real_ms) for each in portion))
        for sandbox, found in zip(portion, counters, strict=True):
            if found is not None:
                yield sandbox, found
        await asyncio.sleep(0)


async def _counters(store: Store, sandbox: SandboxReader, real_ms: int) -> Counters | None:
    known = sandbox.counters(real_ms)
    if known is not None:
        return known
    try:
        await Slices().next()  # Tasks of many sandboxes may have ended.
        return await counters_of(store, sandbox, real_ms)
    except (SandboxMissing, SandboxDamaged):
        return None


async def counters_of(store: Store, sandbox: SandboxReader, real_ms: int) -> Counters:
    """Return the counters of a sandbox. Raises SandboxMissing, SandboxDamaged."""
    await settle_ended(store, sandbox, real_ms)
    return await store.execute(sandbox.id, ReadCounters(real_ms=real_ms))
