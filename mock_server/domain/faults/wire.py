"""Wire faults: the server handles the request as usual and damages the response in transit.

To add a fault, declare it here and write its function in `web/wire_faults.py`.
"""

from enum import StrEnum
from typing import Self

import msgspec


class WireTraits(msgspec.Struct, frozen=True, kw_only=True):
    about: str
    breaks_response: bool = True  # A client cannot read the response.
    client_status: int | None = None  # What the client gets: 0 is no status, None the true one.


class WireFault(StrEnum):
    traits: WireTraits

    def __new__(cls, name: str, traits: WireTraits) -> Self:
        fault = str.__new__(cls, name)
        fault._value_ = name
        fault.traits = traits
        return fault

    CLOSE = (
        "close",
        WireTraits(about="The connection closes before the response.", client_status=0),
    )
    RESET = (
        "reset",
        WireTraits(about="The connection is reset (RST) before the response.", client_status=0),
    )
    HALF_BODY = (
        "half-body",
        WireTraits(about="The connection closes after the first half of the body."),
    )
    DRIBBLE = (
        "dribble",
        WireTraits(
            about="The first 200 bytes of the body arrive one by one, 20 ms apart.",
            breaks_response=False,
        ),
    )
    HANG = (
        "hang",
        WireTraits(about="The first half of the body arrives, and nothing more for 10 minutes."),
    )
    GARBAGE = (
        "garbage",
        WireTraits(about="Bytes that are not HTTP arrive instead of a response.", client_status=0),
    )
    EMPTY = (
        "empty",
        WireTraits(about="The response has status 200 and an empty body.", client_status=200),
    )
    HTML_ERROR = (
        "html-error",
        WireTraits(
            about="The response is the HTML page of a proxy, with status 502.", client_status=502
        ),
    )
    WRONG_CONTENT_TYPE = (
        "wrong-content-type",
        WireTraits(about="The body is complete, but `Content-Type` says `text/html`."),
    )
    INVALID_JSON = "invalid-json", WireTraits(about="The end of the body is not valid JSON.")
    BAD_GZIP = (
        "bad-gzip",
        WireTraits(about="`Content-Encoding` says `gzip`, but the body is not compressed."),
    )
