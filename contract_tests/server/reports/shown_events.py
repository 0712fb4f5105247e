"""Formats events for a report: truncated texts, and curl commands."""

import shlex
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from contract_tests.server.events import Burst, Deliveries, Event, HttpExchange, Request, Response

_BODY_SHOWN: Final = 2_000  # characters
_CURL_BODY: Final = 20_000  # Characters; the longest prompt fits.
_EVENTS_SHOWN: Final = 40  # Per case.


class ShownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as text; findings refer to its `number`."""

    number: int
    kind: str
    asked: str
    told: str
    curl: str = ""


def shown_events(
    events: Sequence[Event], wanted: Sequence[int], base_url: str, *, has_others: bool = True
) -> tuple[ShownEvent, ...]:
    """Return the events that findings refer to, and the last others, 40 in all."""
    chosen = set(wanted[-_EVENTS_SHOWN:])
    for number in range(len(events) - 1, -1, -1) if has_others else ():
        if len(chosen) >= _EVENTS_SHOWN:
            break
        chosen.add(number)
    return tuple(_shown(number, events[number], base_url) for number in sorted(chosen))


def curl_of(request: Request, base_url: str) -> str:
    """Return a curl command that sends the same request; the keys are shell variables."""
    url = request.path if "://" in request.path else base_url + request.path
    if request.query:
        url += f"?{urlencode(request.query)}"
    words = ["curl", "-i", "-X", request.method, shlex.quote(url)]
    name, _, scheme = request.key.partition(" as ")
    if name != "none":
        key = "APIXO_SECOND_API_KEY" if name == "other" else "APIXO_API_KEY"
        words += ["-H", f'"Authorization: {scheme or "Bearer"} ${key}"']
    for header, value in request.headers:
        words += ["-H", shlex.quote(f"{header}: {value}" if value else f"{header};")]
    if request.body:
        if "content-type" not in {header.lower() for header, _ in request.headers}:
            words += ["-H", "Content-Type:"]  # Otherwise curl adds its own.
        words += ["--data-raw", shlex.quote(text_of(request.body, _CURL_BODY))]
    return " ".join(words)


def text_of(body: bytes, at_most: int = _BODY_SHOWN) -> str:
    """Return the body as text, truncated, or its size if it is not UTF-8."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
    return text if len(text) <= at_most else f"{text[:at_most]}… ({len(text)} characters)"


def _shown(number: int, event: Event, base_url: str) -> ShownEvent:
    if isinstance(event, HttpExchange):
        request, response = _request(event.request), _response(event.response)
        curl = curl_of(event.request, base_url)
        return ShownEvent(number=number, kind="exchange", asked=request, told=response, curl=curl)
    if isinstance(event, Burst):
        runs = ", ".join(f"{count} times {status}" for status, count in event.statuses)
        request = f"{event.count} times {_request(event.request)}"
        curl = curl_of(event.request, base_url)
        response = f"{runs}; the last: {_response(event.last)}"
        return ShownEvent(number=number, kind="burst", asked=request, told=response, curl=curl)
    if isinstance(event, Deliveries):
        received = "\n".join(
            f"{each.method}, answered {each.answered}: {text_of(each.body)}"
            for each in event.deliveries
        )
        return ShownEvent(
            number=number, kind="deliveries", asked=f"callbacks at {event.name}", told=received
        )
    return ShownEvent(number=number, kind="pause", asked=f"{event.seconds:g} s pass", told="")


def _request(request: Request) -> str:
    query = f"?{urlencode(request.query)}" if request.query else ""
    key = {"own": "", "none": " (no key)"}.get(request.key, f" ({request.key} key)")
    lines = [f"{request.method} {request.path}{query}{key}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\n".join(lines) + (f"\n\n{text_of(request.body)}" if request.body else "")


def _response(response: Response) -> str:
    if response.error is not None:
        return response.error
    lines = [f"HTTP {response.status}", *(f"{name}: {value}" for name, value in response.headers)]
    return "\n".join(lines) + (f"\n\n{text_of(response.body)}" if response.body else "")
