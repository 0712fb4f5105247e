"""What a rule has injected into an exchange, as values, and the one text made from them."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class FaultKind(StrEnum):
    OUTCOME = "outcome"
    REFUSE = "refuse"
    LATENCY = "latency"
    WIRE = "wire"
    MEANING = "meaning"
    CALLBACK = "callback"


class Injected(msgspec.Struct, frozen=True, gc=False):
    """One injected fault, such as `wire close`; `name` is empty where the kind says it all."""

    kind: FaultKind
    name: str = ""

    @property
    def text(self) -> str:
        return f"{self.kind} {self.name}" if self.name else self.kind.value


def fault_text(injected: Iterable[Injected]) -> str:
    """Return injected faults as headers, the journal and timelines show them."""
    return ", ".join(each.text for each in injected)


def injected_of_legacy_text(text: str) -> tuple[Injected, ...]:
    """Return the faults of a snapshot that was written before snapshots had `injected`.

    Raise ValueError when the text names no fault.
    """
    parts = (each.partition(" ") for each in text.split(", ") if each)
    return tuple(Injected(FaultKind(kind), name) for kind, _, name in parts)
