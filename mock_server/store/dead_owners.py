"""What to do with callback attempts and held clocks of processes that have ended."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from mock_server.domain.commands import ReleaseClaims
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.store import Store

ChooseAlive: TypeAlias = Callable[[frozenset[str]], Awaitable[frozenset[str]]]
"""Returns those of the given owners whose process still runs."""


async def release_dead(
    store: Store, sandbox_id: str, alive: ChooseAlive, *, real_ms: int
) -> frozenset[str]:
    """Release what processes that have ended have claimed in a sandbox; return these owners.

    If there are any, the caller must wake the dispatcher: their callbacks are due again. Two
    processes may do this at the same time, because a second release changes nothing.
    """
    sandbox = await store.read(sandbox_id)
    others = frozenset() if sandbox is None else sandbox.claim_owners() - {store.owner}
    if not others:
        return frozenset()
    dead = others - await alive(others)
    for owner in sorted(dead):
        try:
            await store.execute(sandbox_id, ReleaseClaims(real_ms=real_ms, owner=owner))
        except SandboxMissing:  # It was removed in the meantime, with all that was claimed in it.
            break
    return dead
