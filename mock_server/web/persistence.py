"""Wait until the changes that a response reports survive the end of the process."""

import asyncio
from functools import partial

from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.store import Store


async def persisted(store: Store) -> None:
    """Wait until the store has written all commands so far, if it is durable.

    Raises StoreUnavailable if it could not write them.
    """
    if not store.is_durable:
        return
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    store.after_persist(partial(_finish, written))
    await written


def _finish(written: asyncio.Future[None], error: StoreUnavailable | None) -> None:
    if written.done():  # The request was cancelled.
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)
