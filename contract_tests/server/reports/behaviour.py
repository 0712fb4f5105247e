"""Describes the behaviour of a server in lines that are equal for equal runs.

A line has the request, the status and the shape of the response: names, types and the values that
the contract fixes.  It has no ids, times, URLs or texts.
"""

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from contract_tests.server.events import Burst, Event, HttpExchange, Request, Response

_FIXED: Final = frozenset({"code", "state", "failCode"})
_ID: Final = re.compile(r"[0-9a-f]{8,}|\d+")
_DEEPEST: Final = 6


def behaviour_of(events: Iterable[Event]) -> tuple[str, ...]:
    """Return the distinct lines, sorted; without requests to the control plane."""
    lines: set[str] = set()
    for event in events:
        if isinstance(event, HttpExchange) and not event.request.path.startswith("/_mock"):
            lines.add(f"{_request_line(event.request)} -> {_response_line(event.response)}")
        elif isinstance(event, Burst):
            statuses = ", ".join(str(status) for status in sorted({s for s, _ in event.statuses}))
            lines.add(f"{_request_line(event.request)} many times -> {statuses}")
    return tuple(sorted(lines))


def _request_line(request: Request) -> str:
    path = urlsplit(request.path).path
    return f"{request.method} {_ID.sub('…', path)}"


def _response_line(response: Response) -> str:
    if response.error is not None:
        return response.error.partition(":")[0]
    kind = (response.header("Content-Type") or "no content type").partition(";")[0]
    body = response.json()
    return f"{response.status} {kind} {shape(body) if body is not None else ''}".rstrip()


def shape(value: Any, depth: int = 0) -> str:
    """Return the names and types in a JSON value; members sorted, lists by their item types."""
    if isinstance(value, dict):
        if depth == _DEEPEST:
            return "{…}"
        inner = ", ".join(
            f"{name}: {value[name]!r}"
            if name in _FIXED and isinstance(value[name], str | int)
            else f"{name}: {shape(value[name], depth + 1)}"
            for name in sorted(value)
        )
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(sorted({shape(item, depth + 1) for item in value}))}]"
    return "null" if value is None else type(value).__name__
