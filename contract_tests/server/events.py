"""What passed between the kit and its target while a case ran, in order.

Events are what reports show and cassettes keep.  They hold no secret: a request names whose key it
carries, and the key itself is put in where it is sent.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from contract_tests.contract.redaction import Redaction

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

    def redacted(self, redaction: Redaction) -> "Response":
        """Return the same response without API keys."""
        return Response(
            status=self.status,
            headers=redaction.pairs(self.headers),
            body=redaction.content(self.body),
            error=None if self.error is None else redaction.text(self.error),
        )


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

    def redacted(self, redaction: Redaction) -> "Delivery":
        """Return the same delivery without API keys."""
        return Delivery(
            method=self.method,
            headers=redaction.pairs(self.headers),
            body=redaction.content(self.body),
            answered=self.answered,
        )


class Deliveries(msgspec.Struct, frozen=True, kw_only=True, tag="deliveries"):
    """All that the receiver of the case has got so far."""

    name: str
    deliveries: tuple[Delivery, ...]


Event: TypeAlias = Exchange | Burst | Pause | Deliveries


def request_of(
    method: str,
    path: str,
    *,
    body: object = None,
    content: bytes | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    key: str = "own",
) -> Request:
    """Build a request; `body` goes out as JSON with its content type, `content` as it is."""
    sent: Pairs = tuple((headers or {}).items())
    if body is not None:
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        sent = (("Content-Type", "application/json"), *sent)
    return Request(
        method=method,
        path=path,
        query=tuple((query or {}).items()),
        headers=sent,
        body=content or b"",
        key=key,
    )
