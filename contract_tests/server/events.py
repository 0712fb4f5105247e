"""The events of a case: requests, responses, pauses and callbacks, in order.

Reports show events and cassettes store them.  They contain no secrets: a request names its API
key, and the world inserts the key when it sends the request.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from contract_tests.contract.redaction import Redaction
from contract_tests.contract.text import writable

Pairs: TypeAlias = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request before keys and addresses are inserted.

    `path` begins with `/`, or is a complete URL (of a result).  `key` names the key to send:
    "own"; "other", a second account; either of them followed by " as " and another spelling of the
    authentication scheme; or "none", possibly with an Authorization header in `headers`.  Callback
    URLs contain the placeholder `RECEIVER`.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    key: str = "own"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A response; status 0 and `error` if no usable response arrived.

    `sent_ms` and `answered_ms` are the real instants between which the server answered, in Unix
    milliseconds of this machine; 0 in recordings that do not have them.
    """

    status: int
    headers: Pairs = ()
    body: bytes = b""
    error: str | None = None
    sent_ms: int = 0
    answered_ms: int = 0

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any letter case."""
        wanted = name.lower()
        return next((value for each, value in self.headers if each.lower() == wanted), None)

    def json(self) -> Any:
        """Return the decoded body, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def redacted(self, redaction: Redaction) -> "Response":
        """Return the same response without API keys."""
        return msgspec.structs.replace(
            self,
            headers=redaction.pairs(self.headers),
            body=redaction.content(self.body),
            error=None if self.error is None else redaction.text(self.error),
        )


class HttpExchange(msgspec.Struct, frozen=True, kw_only=True, tag="exchange"):
    request: Request
    response: Response


class Burst(msgspec.Struct, frozen=True, kw_only=True, tag="burst"):
    """The same request many times in sequence; `statuses` are runs of (status, times).

    The instants in `last` are those of the whole burst.
    """

    request: Request
    count: int
    statuses: tuple[tuple[int, int], ...]
    last: Response


class Pause(msgspec.Struct, frozen=True, kw_only=True, tag="pause"):
    """Real time that the case waited."""

    seconds: float


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One callback that the kit's receiver got, and the status of its response (0: none).

    `at_ms` is the real instant of its arrival in Unix milliseconds of this machine, or 0 if it is
    unknown. The response was sent `delay_ms` later.
    """

    method: str
    headers: Pairs
    body: bytes
    answered: int
    at_ms: int = 0
    delay_ms: int = 0

    def redacted(self, redaction: Redaction) -> "Delivery":
        """Return the same delivery without API keys."""
        return msgspec.structs.replace(
            self, headers=redaction.pairs(self.headers), body=redaction.content(self.body)
        )


class Deliveries(msgspec.Struct, frozen=True, kw_only=True, tag="deliveries"):
    """All callbacks that arrived under this name so far.

    The name is the rest of the URL after that of the receiver, with the query if there is one.
    """

    name: str
    deliveries: tuple[Delivery, ...]


Event: TypeAlias = HttpExchange | Burst | Pause | Deliveries


def build_request(
    method: str,
    path: str,
    *,
    body: object = None,
    content: bytes | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    key: str = "own",
) -> Request:
    """Return a request; `body` is sent as JSON with its content type, `content` unchanged.

    A server may return ids and URLs with unpaired surrogates, which a request cannot contain. They
    are escaped, so the server gets a request for something else.
    """
    sent: Pairs = tuple((headers or {}).items())
    if body is not None:
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        sent = (("Content-Type", "application/json"), *sent)
    return Request(
        method=method,
        path=writable(path),
        query=tuple((name, writable(value)) for name, value in (query or {}).items()),
        headers=sent,
        body=content or b"",
        key=key,
    )
