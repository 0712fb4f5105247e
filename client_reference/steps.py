"""The few things that a conversation wants done; the two clients do them.

A flow is a generator: it yields steps and is sent what came of them.  Where no answer came, the
client throws a TransportError into it, and an UnexpectedResponse where bytes came that HTTP itself
cannot read.  So the protocol is written once, and tested with plain values.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

import httpx

from client_reference.errors import ApixoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request to the service, with the key; answered with the whole response."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One download from any host, without the key; answered with the response's head."""

    url: str
    headers: tuple[tuple[str, str], ...]
    sink: "Sink"


@dataclass(frozen=True, slots=True)
class Sleep:
    seconds: float


class Sink(Protocol):
    """Takes a body bit by bit."""

    def begin(self, status: int, headers: httpx.Headers) -> bool:
        """Say whether the body is wanted."""

    def write(self, part: bytes) -> None:
        """Take the next part of the body."""


T = TypeVar("T")
Step: TypeAlias = Send | Fetch | Sleep
Flow: TypeAlias = Generator[Step, httpx.Response | None, T]


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What a flow has returned."""

    value: T


def advance(flow: Flow[T], came: httpx.Response | ApixoError | None) -> Step | Done[T]:
    """Tell a flow what came of its last step; return the next one, or its result."""
    try:
        return flow.throw(came) if isinstance(came, ApixoError) else flow.send(came)
    except StopIteration as end:
        return Done(end.value)
