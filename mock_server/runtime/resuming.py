"""Continue with the callbacks of the process that used a store before this one."""

from mock_server.domain.commands import ReleaseClaims
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.store import Store


async def resume(store: Store, dispatcher: CallbackDispatcher, real_ms: int) -> None:
    """Make the attempts again that were in progress when the other process ended (CB-4).

    Also wake the dispatcher for all other pending callbacks. While this runs, no other process may
    use the store.
    """
    for sandbox in await store.sandboxes():
        for owner in sandbox.claim_owners():
            await store.execute(sandbox.id, ReleaseClaims(real_ms=real_ms, owner=owner))
        if sandbox.next_due_ms() is not None:
            dispatcher.wake(sandbox.id)
