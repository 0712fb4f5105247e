"""A case: one question to a server, about named clauses of the contract."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from contract_tests.server.probe import Probe


class Cost(StrEnum):
    """What a case buys at a service that keeps the contract."""

    FREE = "free"
    ONE_IMAGE = "one image"
    MANY = "many"


class Time(StrEnum):
    """How long a case takes where time cannot be moved."""

    INSTANT = "instant"
    ONE_GENERATION = "one generation"
    LONG = "long"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """`id` never changes and is never used again; `run` asks and notes findings on the probe."""

    id: str
    title: str
    clauses: tuple[str, ...]
    sends: str
    expects: str
    run: Callable[[Probe], None]
    images: int = 0
    """How many images it buys when all goes as the contract says."""
    worst_images: int = 0
    """How many it buys at most, if the service takes what it should refuse."""
    time: Time = Time.INSTANT
    needs_control: bool = False
    needs_receiver: bool = False
    """The target must reach the kit's receiver of callbacks."""
    exhausts: bool = False
    """It uses up a limit of the account, so a live run must allow it."""
    is_smoke: bool = False
    provokes: tuple[int, ...] = ()
    """Statuses of trouble (402, 403, 429, 5xx) that it means to see."""
    loopback_only: str = ""
    """Why it is never sent to a live service."""

    @property
    def cost(self) -> Cost:
        if self.images == 0:
            return Cost.FREE
        return Cost.ONE_IMAGE if self.images == 1 else Cost.MANY
