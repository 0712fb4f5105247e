"""Waits until something holds in a sandbox: as soon as it does, or until the time is up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mock_server.domain.news import Change, News
from mock_server.domain.store import Sandbox

LONGEST_S = 300.0

T = TypeVar("T")


async def until(
    sandbox: Sandbox,
    look: Callable[[], Awaitable[tuple[T, bool]]],
    timeout_s: float,
    next_s: Callable[[T], Awaitable[float | None]] | None = None,
) -> tuple[T, bool]:
    """Look whenever there is news, until it holds; return what was seen last and whether it holds.

    `next_s` says in how many real seconds it is worth looking again without any news.
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
            seen, holds = await look()
            left_s = deadline - loop.time()
            if holds or left_s <= 0 or is_dropped:
                return seen, holds
            soon_s = await next_s(seen) if next_s else None
            pause_s = left_s if soon_s is None else min(left_s, soon_s)
            try:
                async with asyncio.timeout(pause_s):
                    await woken.wait()
            except TimeoutError:
                continue
    finally:
        sandbox.unwatch(watcher)
