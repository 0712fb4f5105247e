"""A case: one test of a server, about named clauses of the contract."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from contract_tests.server.probe import Probe


class Cost(StrEnum):
    """The cost of a case on a service that keeps the contract."""

    FREE = "free"
    ONE_IMAGE = "one image"
    MANY = "many"


class Time(StrEnum):
    """How long a case takes without a control plane that can advance the clock."""

    INSTANT = "instant"
    ONE_GENERATION = "one generation"
    LONG = "long"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """`id` never changes and is never reused; `run` sends requests and notes its findings."""

    id: str
    title: str
    clauses: tuple[str, ...]
    sends: str
    expects: str
    run: Callable[[Probe], None]
    images: int = 0
    """The number of images that it buys from a service that keeps the contract."""
    worst_images: int = 0
    """The maximum number of images, if the service accepts requests that it should reject."""
    time: Time = Time.INSTANT
    needs_control: bool = False
    needs_receiver: bool = False
    """Whether the target must be able to reach the kit's receiver of callbacks."""
    exhausts: bool = False
    """Whether it exhausts a limit of the account; a live run must allow that explicitly."""
    runs_alone: bool = False
    """Whether no other case runs at the same time in real time, because it must be fast."""
    is_slow: bool = False
    """Whether it takes seconds even if the clock can be advanced; such cases start first."""
    is_smoke: bool = False
    is_deep: bool = False
    """Whether only the suite `deep` has it, because it takes minutes."""
    provokes: tuple[int, ...] = ()
    """Statuses that it provokes and that would be a failure otherwise (402, 403, 429, 5xx)."""
    loopback_only: str = ""
    """The reason why it is never run against a live service."""

    @property
    def cost(self) -> Cost:
        if self.images == 0:
            return Cost.FREE
        return Cost.ONE_IMAGE if self.images == 1 else Cost.MANY
