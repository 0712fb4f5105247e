"""Decode the body of a response in small parts, so that a small body cannot fill the memory.

httpx decodes each part that it receives as a whole, and any number of codings one after the other.
"""

import zlib
from collections.abc import Iterator
from typing import Final

import httpx

from client_reference.errors import UnexpectedResponse

REQUESTED_CODING: Final = "gzip"
"""The value of `Accept-Encoding`."""

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_PART_MAX: Final = 64 * 1024  # bytes


class Decoder:
    """Decodes the body of one response.

    The constructor raises UnexpectedResponse for several codings, or one that is not gzip.
    """

    def __init__(self, response: httpx.Response) -> None:
        # A transport, such as that of a test, may have read and decoded the body already.
        coding = "" if response.is_stream_consumed else _coding_of(response.headers)
        if coding and coding not in _GZIP:
            raise _unreadable(f"the body has the content coding {coding[:60]!r}", response)
        self._gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if coding else None
        self._response = response
        self._has_begun = False

    def decode(self, part: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of a part. If it is gzip, each piece has at most 64 KiB."""
        if self._gzip is None:
            yield part
            return
        self._has_begun = self._has_begun or bool(part)
        while part and not self._gzip.eof:
            try:
                decoded = self._gzip.decompress(part, _PART_MAX)
            except zlib.error as error:
                raise _unreadable("the body is not valid gzip", self._response) from error
            part = self._gzip.unconsumed_tail
            if decoded:
                yield decoded

    def end(self) -> None:
        """Raise UnexpectedResponse if the body is truncated."""
        if self._gzip is not None and self._has_begun and not self._gzip.eof:
            raise _unreadable("the body is truncated gzip", self._response)


def _coding_of(headers: httpx.Headers) -> str:
    codings = [each.strip().lower() for each in headers.get("Content-Encoding", "").split(",")]
    return ", ".join(each for each in codings if each not in {"", "identity"})


def _unreadable(problem: str, response: httpx.Response) -> UnexpectedResponse:
    return UnexpectedResponse(f"{problem} (HTTP {response.status_code})", is_garbled=True)
