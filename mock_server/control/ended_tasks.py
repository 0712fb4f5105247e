"""Settle many ended tasks before a command that would settle all of them at once."""

from mock_server.control.slices import Slices
from mock_server.domain.commands import NoticeEnds
from mock_server.domain.ledger import PORTION
from mock_server.domain.store import SandboxReader, Store


async def settle_ended(store: Store, sandbox: SandboxReader, real_ms: int) -> None:
    """Settle the tasks that have ended by now, until few are left. Others are served in between.

    Raises SandboxMissing, SandboxDamaged.
    """
    slices = Slices()
    # The limit matters if the process drops its replica meanwhile: the reader keeps its state.
    for _ in range(sandbox.max_unsettled(real_ms) // PORTION):
        await slices.next()
        await store.execute(sandbox.id, NoticeEnds(real_ms=real_ms, limit=PORTION))
        if sandbox.max_unsettled(real_ms) <= PORTION:
            return
