"""What a case can do to the world: the port that runs, recordings and replays fill in."""

from collections.abc import Sequence
from typing import Protocol

from contract_tests.server.events import Delivery, Request, Response

RECEIVER = "http://receiver.invalid"
"""Stands in requests for the address of the kit's receiver; `RECEIVER/name` is one callback."""


class World(Protocol):
    """Everything that is not the same each time. One world serves one case, in one thread."""

    def exchange(self, request: Request) -> Response:
        """Send one request; never raises for what the target does."""

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        """Send it so often, one after the other; return runs of statuses and the last response."""

    def pause(self, seconds: float) -> None:
        """Let real time pass."""

    def react(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        """Answer the next callbacks at RECEIVER/name so: a status, after so many seconds.

        Later ones are answered 200 at once.
        """

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        """Return what came to RECEIVER/name, as soon as there are so many or the time is over."""
