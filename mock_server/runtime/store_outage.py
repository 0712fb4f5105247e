"""What callbacks do while the store cannot be used: they wait, and nothing is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mock_server.domain.errors import StoreUnavailable

log = logging.getLogger("mock_server.callbacks")

RETRY_S = 1.0

R = TypeVar("R")


class StoreOutage:
    """Logs when callbacks begin to wait for the store, and when they continue."""

    def __init__(self) -> None:
        self._is_noted = False

    def note(self, error: StoreUnavailable) -> None:
        if not self._is_noted:
            self._is_noted = True
            log.warning("callbacks wait until the store can be used again: %s", error)

    def end(self) -> None:
        if self._is_noted:
            self._is_noted = False
            log.warning("callbacks continue: the store can be used again")

    async def retry(self, act: Callable[[int], Awaitable[R]]) -> R:
        """Call `act`, which uses the store, and return its result; retry during an outage.

        `act` gets the number of failed tries. Their commands may have been applied in spite of the
        error. Only attempts that were claimed before an outage wait here, so their number is
        bounded: without the store, no further attempt can be claimed.
        """
        tries = 0
        while True:
            try:
                result = await act(tries)
            except StoreUnavailable as error:
                self.note(error)
                tries += 1
                await asyncio.sleep(RETRY_S)
            else:
                self.end()
                return result
