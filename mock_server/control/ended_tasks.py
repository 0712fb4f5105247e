"""Settle many ended tasks before a command that would settle all of them at once."""

from mock_server.control.slices import Slices
from mock_server.domain.commands import NoticeEnds
from mock_server.domain.ledger import PORTION
from mock_server.domain.store import SandboxReader, Store


async def settle_ended(store: Store, sandbox: SandboxReader, real_ms: int) -> None:
    """Settle ended tasks until at most a portion is left. Other requests are served in between.

    Raises SandboxMissing, SandboxDamaged.
    """
    slices = Slices()
    # The number of rounds is limited, because the reader of a dropped replica shows no progress.
    for _ in range(sandbox.max_unsettled(real_ms) // PORTION):
        await slices.next()
        await store.execute(sandbox.id, NoticeEnds(real_ms=real_ms, limit=PORTION))
        if sandbox.max_unsettled(real_ms) <= PORTION:
            return
