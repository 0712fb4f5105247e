"""Wait for a condition in a sandbox."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mock_server.domain.events import Change, Notice
from mock_server.domain.store import SandboxReader, Store

T = TypeVar("T")


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
