"""The steps that a flow yields to a client: send, fetch and sleep.

A flow is a generator: it yields steps, and the client sends the outcome of each step back into it.
If no response arrives, the client throws a TransportError into the flow; if the response is not
valid HTTP, an UnexpectedResponse.  So each flow is written once for both clients, and tests need
no network.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

import httpx

from client_reference.errors import ApixoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A request to the service, with the API key; the outcome is the whole response."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A download from any host, without the API key; the outcome is the head of the response."""

    url: str
    headers: tuple[tuple[str, str], ...]
    sink: "Sink"
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause; it has no outcome."""

    seconds: float


class Sink(Protocol):
    """Receives the body of a download part by part."""

    def begin(self, status: int, headers: httpx.Headers) -> bool:
        """Return whether the body is wanted."""

    def write(self, part: bytes) -> None:
        """Append the next part of the body."""


T = TypeVar("T")
Step: TypeAlias = Send | Fetch | Sleep
Flow: TypeAlias = Generator[Step, httpx.Response | None, T]


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The return value of a flow."""

    value: T


def advance(flow: Flow[T], outcome: httpx.Response | ApixoError | None) -> Step | Done[T]:
    """Return the next step of a flow, or its return value, after the outcome of its last step."""
    try:
        return flow.throw(outcome) if isinstance(outcome, ApixoError) else flow.send(outcome)
    except StopIteration as end:
        return Done(end.value)
