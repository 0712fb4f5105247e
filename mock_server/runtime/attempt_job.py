"""A claimed callback attempt that waits for its turn, or is in progress."""

from collections.abc import Awaitable, Callable

from mock_server.domain.deliveries import DueDelivery
from mock_server.domain.dispatching import DeliveryAttempt
from mock_server.domain.rule_book import RuleMatch


class AttemptJob:
    """Implements `lanes.LaneJob`. `make` makes the attempt.

    `instant_ms` is set if `advance` makes the attempt: the instant at which it is made.
    """

    __slots__ = ("_make", "due", "instant_ms", "match", "result")

    def __init__(
        self,
        due: DueDelivery,
        make: Callable[["AttemptJob"], Awaitable[bool | None]],
        *,
        match: RuleMatch | None = None,
        instant_ms: int | None = None,
    ) -> None:
        self.due = due
        self.match = match
        self.instant_ms = instant_ms
        self.result: DeliveryAttempt | None = None  # Also None if it was postponed or dropped.
        self._make = make

    async def run(self) -> bool | None:
        return await self._make(self)
