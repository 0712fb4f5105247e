"""What happened in a race: requests with the moments of their start and end, and their results."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from mock_server.domain.snapshot import Snapshot
from tests.mock_server.races.script import DROPS, Kind, Step

STEP_HEADER = b"x-step"


@dataclass(slots=True)
class Exchange:
    """One request of a client. Moments are numbers that count up."""

    step: Step
    began: int
    ended: float = math.inf  # Infinity if the client does not know whether it had an effect.
    status: int | None = None  # None if the client has not read the response.
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False  # Whether the whole request was sent.
    problem: str = ""  # Why the client got no response although it waited for one.
    restored: Snapshot | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether the client knows that the request had its effect."""
        return self.status is not None and self.status < 300


@dataclass(slots=True)
class Stream:
    """The numbers of journal entries that a reader of events got, from one state of a sandbox."""

    key: int
    numbers: list[int] = field(default_factory=list)


class Entry(msgspec.Struct):
    seq: int
    step: int | None  # None for callbacks.
    operation: str
    status: int
    at_ms: int


class KeyView(msgspec.Struct):
    """The state of one key after the race, when all its tasks have ended."""

    counters: dict[str, Any]
    snapshot: Snapshot
    entries: Sequence[Entry]
    balance: float


@dataclass(slots=True)
class History:
    """Everything that the clients of one race know, and the state afterwards."""

    exchanges: list[Exchange] = field(default_factory=list)
    exports: list[tuple[int, Snapshot]] = field(default_factory=list)  # With their keys.
    streams: list[Stream] = field(default_factory=list)
    ends: dict[int, KeyView] = field(default_factory=dict)
    received: dict[int, int] = field(default_factory=dict)  # Callbacks by step.
    problems: list[str] = field(default_factory=list)
    is_interrupted: bool = False  # Callbacks may be sent again, because the server was too slow.
    _moments: Iterator[int] = field(default_factory=count)

    def begin(self, step: Step) -> Exchange:
        exchange = Exchange(step, next(self._moments))
        self.exchanges.append(exchange)
        return exchange

    def end(self, exchange: Exchange) -> None:
        exchange.ended = next(self._moments)

    def sent(self, *kinds: Kind, key: int | None = None) -> list[Exchange]:
        """Return the requests that may have had an effect."""
        return [
            each
            for each in self.exchanges
            if each.is_complete
            and each.step.kind in kinds
            and (key is None or each.step.key == key)
            and (each.status is None or each.is_confirmed)
        ]

    def drops(self, key: int) -> list[Exchange]:
        """Return the requests that may have replaced the state of a sandbox."""
        return self.sent(*DROPS, key=key)


def steps_of_tasks(snapshot: Snapshot) -> set[int]:
    return {step_of(task.prompt) for task in snapshot.tasks}


def steps_of_entries(snapshot: Snapshot) -> set[int]:
    pairs = (pair for entry in snapshot.journal for pair in entry.headers)
    return {int(value) for name, value in pairs if name == STEP_HEADER}


def step_of(prompt: str) -> int:
    """Return the step whose submit has this prompt."""
    return int(prompt.split()[1])
