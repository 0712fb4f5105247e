"""What passed between the kit and its target while a case ran, in order.

Events are what reports show and cassettes keep.  They hold no secret: a request names whose key it
carries, and the key itself is put in where it is sent.
"""

import json
from typing import Any, TypeAlias

import msgspec

Pairs: TypeAlias = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the case means it.

    `path` begins with `/` or is a whole address (a result).  `key` says whose key is sent: "own",
    "other" (a second account), either of them "as" another spelling of the scheme, or "none",
    perhaps with an Authorization of the case's own in `headers`.  A callback address is written
    with the placeholder of `RECEIVER`.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    key: str = "own"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What came back; status 0 and `error` where nothing usable did."""

    status: int
    headers: Pairs = ()
    body: bytes = b""
    error: str | None = None

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for each, value in self.headers if each.lower() == wanted), None)

    def json(self) -> Any:
        """Return the decoded body, None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Exchange(msgspec.Struct, frozen=True, kw_only=True, tag="exchange"):
    request: Request
    response: Response


class Burst(msgspec.Struct, frozen=True, kw_only=True, tag="burst"):
    """The same request many times, one after the other; statuses as runs: (status, how often)."""

    request: Request
    count: int
    statuses: tuple[tuple[int, int], ...]
    last: Response


class Pause(msgspec.Struct, frozen=True, kw_only=True, tag="pause"):
    """Real time that the case let pass."""

    seconds: float


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One callback that the kit's receiver got, and the status that it answered (0: none)."""

    method: str
    headers: Pairs
    body: bytes
    answered: int


class Deliveries(msgspec.Struct, frozen=True, kw_only=True, tag="deliveries"):
    """All that the receiver of the case has got so far."""

    name: str
    deliveries: tuple[Delivery, ...]


Event: TypeAlias = Exchange | Burst | Pause | Deliveries
