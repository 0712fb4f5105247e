"""Commands of a replica that wait for a round trip, and those who wait for their results."""

import asyncio
from typing import Any

from mock_server.domain.commands import Command
from mock_server.domain.errors import DomainError
from mock_server.store.redis.loader import unknown_outcome
from mock_server.store.redis.replica import OwnBatch


class PendingWork:
    """What waits for the next round trip of one replica."""

    __slots__ = ("commands", "futures", "own", "places", "syncs")

    def __init__(self) -> None:
        self.places = 0  # The task places that the commands need at most.
        self.own: OwnBatch | None = None  # The commands, once they were appended.
        self.commands: list[Command[Any]] = []
        self.futures: list[asyncio.Future[Any]] = []
        self.syncs: list[asyncio.Future[None]] = []

    def take_places(self) -> int:
        """Return the number of places to account for. It is 0 from then on: each counts once."""
        places, self.places = self.places, 0
        return places

    def fail(self, error: Exception) -> None:
        for future in (*self.futures, *self.syncs):
            if not future.done():
                future.set_exception(error)

    def settle(self) -> None:
        """Give each command its outcome."""
        outcomes = [] if self.own is None else self.own.outcomes
        if outcomes is None:
            self.fail(unknown_outcome())
            return
        for future, outcome in zip(self.futures, outcomes, strict=True):
            if future.done():  # Nobody waits for it any more.
                continue
            if isinstance(outcome, DomainError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        for sync in self.syncs:
            if not sync.done():
                sync.set_result(None)
