"""What exploring needs of a sandbox; `ApixoMock` has it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Json = dict[str, Any]


class ExploredRules(Protocol):
    def __iter__(self) -> Iterator[Json]: ...

    def set(self, rules: Sequence[Json]) -> list[Json]:
        """Replace all rules; return the new ones."""

    def clear(self) -> None:
        """Remove all rules."""


class ExploredJournal(Protocol):
    def page(self) -> Json:
        """Return all entries, and how many the journal has dropped."""

    def count(self, operation: str | None = None) -> int:
        """Return the number of entries of an operation."""


class ExploredSandbox(Protocol):
    """A sandbox with a manual clock, for one scenario."""

    @property
    def base_url(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def rules(self) -> ExploredRules: ...
    @property
    def journal(self) -> ExploredJournal: ...
    @property
    def tasks(self) -> list[Json]: ...
    @property
    def now_ms(self) -> int: ...

    def advance(self, seconds: float) -> object:
        """Move the clock forward."""

    def use_real_clock(self) -> None:
        """Let the clock run in real time."""


BeginSandbox = Callable[[str], AbstractContextManager[ExploredSandbox]]
"""Creates a sandbox; the same name gives the same ids of tasks. It is deleted at the end."""
