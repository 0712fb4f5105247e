"""The interface between a case and its target; live runs and replays implement it."""

from collections.abc import Sequence
from typing import Protocol

from contract_tests.server.events import Deliveries, Delivery, Request, Response

RECEIVER = "http://receiver.invalid"
"""Placeholder for the URL of the kit's receiver; `RECEIVER/name` is one callback URL."""


class World(Protocol):
    """The outside world of one case: requests, time and callbacks. It is used by one thread."""

    def exchange(self, request: Request) -> Response:
        """Send one request and return the response; failures are responses with status 0."""

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        """Send the request `count` times in sequence; return (status, times) runs and the last."""

    def pause(self, seconds: float) -> None:
        """Wait in real time."""

    def script_receiver(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        """Set how the next callbacks at RECEIVER/name are answered: (status, delay in seconds).

        Later callbacks are answered 200 without delay.
        """

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        """Return the callbacks received at RECEIVER/name, once `count` arrived or time is up."""

    def received(self) -> tuple[Deliveries, ...]:
        """Return all callbacks of the case that have arrived, also at names that nobody sent."""
