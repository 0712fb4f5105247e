"""The faults that a rule has injected, as values and as text."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class FaultKind(StrEnum):
    OUTCOME = "outcome"
    REFUSE = "refuse"
    LATENCY = "latency"
    WIRE = "wire"
    MEANING = "meaning"
    CALLBACK = "callback"


class Injected(msgspec.Struct, frozen=True, gc=False):
    """One injected fault, such as `wire close`; `name` is empty for kinds without names."""

    kind: FaultKind
    name: Annotated[str, Meta(max_length=100)] = ""

    @property
    def text(self) -> str:
        return f"{self.kind} {self.name}" if self.name else self.kind.value


def fault_text(injected: Iterable[Injected]) -> str:
    """Return the text of injected faults for headers, the journal and timelines."""
    return ", ".join([each.text for each in injected])


def injected_of_text(text: str) -> tuple[Injected, ...]:
    """Return what `fault_text` has written.

    Raise ValueError if the text names an unknown kind of fault.
    """
    if not text:
        return ()
    parts = (each.partition(" ") for each in text.split(", ") if each)
    return tuple(Injected(FaultKind(kind), name) for kind, _, name in parts)
