"""Wait for a condition in a sandbox."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.events import Change, Notice
from mock_server.domain.store import SandboxReader, Store

T = TypeVar("T")

_LOOK_EVERY_S = 0.1  # Whether the store can be used again.


async def until(
    store: Store,
    sandbox: SandboxReader,
    check: Callable[[SandboxReader], tuple[T, bool]],
    timeout_s: float,
    next_s: Callable[[T], float | None] | None = None,
) -> tuple[T, bool]:
    """Block until a condition is met; return the last observation and whether it is met.

    `check` returns an observation and whether the condition is met. It is called again after every
    event. `next_s` returns the real seconds until time alone may meet the condition, or None. The
    wait ends after `timeout_s` real seconds at the latest, or when the sandbox is deleted.

    It survives an outage of the store. Raises StoreUnavailable if the outage lasts longer.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    woken = asyncio.Event()
    is_dropped = False

    def follower(event: Notice) -> None:
        nonlocal is_dropped
        is_dropped = is_dropped or event is Change.DROPPED or event is Change.REMOVED
        woken.set()

    store.follow(sandbox.id, follower)
    try:
        while True:
            woken.clear()
            if store.problem is not None and not store.is_immediate:
                await _until_current(store, sandbox.id, deadline)
            seen, is_met = check(sandbox)
            left_s = deadline - loop.time()
            if is_met or left_s <= 0 or is_dropped:
                return seen, is_met
            soon_s = next_s(seen) if next_s else None
            pause_s = left_s if soon_s is None else min(left_s, soon_s)
            try:
                async with asyncio.timeout(pause_s):
                    await woken.wait()
            except TimeoutError:
                continue
    finally:
        store.unfollow(sandbox.id, follower)


async def _until_current(store: Store, sandbox_id: str, deadline: float) -> None:
    """Wait until the sandbox contains what other processes did during an outage of the store.

    Raises StoreUnavailable at the deadline: until then, nobody knows whether a condition is met.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            await store.read(sandbox_id)
        except StoreUnavailable:
            left_s = deadline - loop.time()
            if left_s <= 0:
                raise
            await asyncio.sleep(min(left_s, _LOOK_EVERY_S))
        else:
            return
