"""What happened in one scenario: the runs of the client, its purchases and its exchanges."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePath
from typing import Final, Self

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.exploring.scenario import Scenario
from contract_tests.client.records import HttpExchange

_PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a client gave its user: an address, or the content of a picture.

    `name` is how a message calls it. A file that is not called a picture need not be one.
    """

    name: str
    url: str = ""
    content: bytes = b""
    is_picture: bool = True

    @classmethod
    def of_file(cls, name: str, content: bytes) -> Self:
        """Return a file in the client's output directory."""
        is_picture = PurePath(name).suffix.lower() in _PICTURE_SUFFIXES
        return cls(name=name, content=content, is_picture=is_picture)


class ClientRun(msgspec.Struct, frozen=True, kw_only=True):
    """One picture that the client was asked for.

    `end` says how the run ended, such as `raised TimeoutError: …`, and `output` is everything that
    the client told its user. `deliveries` is None if it is unknown where the client puts its
    pictures. `starts` counts how often the client was started.
    """

    prompt: str
    is_success: bool
    end: str
    output: str = ""
    timed_out: bool = False
    deliveries: tuple[Delivery, ...] | None = None
    starts: int = 1


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """A task that the client has created. `contents` are its pictures, if they were needed."""

    task_id: str
    prompt: str
    state: str
    num_images: int
    result_urls: tuple[str, ...] = ()
    contents: tuple[bytes, ...] = ()

    @property
    def is_paid(self) -> bool:
        """Whether the task costs money: a failed one does not (FAIL-5)."""
        return self.state != "failed"


class Outcome(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All facts about one scenario. `applied` are the positions of the events that happened.

    `is_timed` tells whether waits are known: a client that does not move a manual clock has none.
    """

    scenario: Scenario
    key: str
    runs: tuple[ClientRun, ...]
    purchases: tuple[Purchase, ...] = ()
    evidence: Evidence = Evidence()
    applied: frozenset[int] = frozenset()
    is_timed: bool = True

    def purchases_of(self, run: ClientRun) -> list[Purchase]:
        """Return the purchases of a run; those of a single run are all there are."""
        if len(self.runs) == 1:
            return list(self.purchases)
        return [each for each in self.purchases if run.prompt in each.prompt]

    def orders_of(self, run: ClientRun) -> list[list[Purchase]]:
        """Return the purchases of a run, those with the same prompt together.

        A client may generate several pictures at once. Each has a prompt of its own, and contains
        the one that the client was given.
        """
        orders: dict[str, list[Purchase]] = {}
        for each in self.purchases_of(run):
            orders.setdefault(each.prompt, []).append(each)
        return list(orders.values())

    def exchanges_of(self, run: ClientRun) -> list[HttpExchange]:
        """Return the requests of a run, without callbacks, in order."""
        return list(self._exchanges(run))

    def _exchanges(self, run: ClientRun) -> Iterator[HttpExchange]:
        task_ids = {each.task_id for each in self.purchases_of(run)}
        for each in self.evidence.of("submit", "status", "balance", "result"):
            if len(self.runs) == 1 or each.task_id in task_ids or run.prompt in each.body:
                yield each

    @cached_property
    def applied_names(self) -> tuple[str, ...]:
        """The names of the events that happened, in order."""
        events = self.scenario.events
        return tuple(events[place].name for place in sorted(self.applied))
