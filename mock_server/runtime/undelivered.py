"""The log lines about callbacks that a store loses when the process ends."""

import logging

from mock_server.domain.deliveries import DeliveryState
from mock_server.domain.store import Store

log = logging.getLogger("mock_server.callbacks")

_MAX_LOGGED = 100


async def log_undelivered(store: Store) -> None:
    """Log the pending callbacks of all sandboxes, at most 100 of them one by one."""
    pending = [
        delivery
        for sandbox in await store.sandboxes()
        for delivery in sandbox.deliveries()
        if delivery.state is DeliveryState.PENDING
    ]
    for delivery in pending[:_MAX_LOGGED]:
        log.warning(
            "callback not delivered before shutdown: task %s, attempts: %d",
            delivery.task_id,
            len(delivery.attempts),
        )
    if len(pending) > _MAX_LOGGED:
        log.warning("callbacks not delivered before shutdown: %d in total", len(pending))
