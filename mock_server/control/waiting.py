"""Waiting for a condition in a sandbox."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mock_server.domain.news import Change, News
from mock_server.domain.store import Sandbox

T = TypeVar("T")


async def until(
    sandbox: Sandbox,
    check: Callable[[], Awaitable[tuple[T, bool]]],
    timeout_s: float,
    next_s: Callable[[T], Awaitable[float | None]] | None = None,
) -> tuple[T, bool]:
    """Block until a condition is met; return the last observation and whether it is met.

    `check` observes the sandbox; it is called again after every change. `next_s` returns after how
    many real seconds the passing of time alone may meet the condition. Without success, the wait
    ends after `timeout_s` real seconds, or as soon as the sandbox is deleted.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    woken = asyncio.Event()
    is_dropped = False

    def watcher(news: News) -> None:
        nonlocal is_dropped
        is_dropped = is_dropped or news is Change.DROPPED
        woken.set()

    sandbox.watch(watcher)
    try:
        while True:
            woken.clear()
            seen, is_met = await check()
            left_s = deadline - loop.time()
            if is_met or left_s <= 0 or is_dropped:
                return seen, is_met
            soon_s = await next_s(seen) if next_s else None
            pause_s = left_s if soon_s is None else min(left_s, soon_s)
            try:
                async with asyncio.timeout(pause_s):
                    await woken.wait()
            except TimeoutError:
                continue
    finally:
        sandbox.unwatch(watcher)
