"""Where the requests of a connection begin and end in the data that arrives, and their limits."""

from collections.abc import Iterable

from mock_server.http_chunks import ChunkedBody
from mock_server.http_rejections import (
    LONG_HEAD,
    LONG_LINE,
    MANY_HEADERS,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    Rejection,
)
from mock_server.web.content_length import content_length

_END = b"\r\n\r\n"
_BLANK = b"\r\n"


class RequestFraming:
    """Cuts the data of a connection into pieces, so that each request begins a new piece.

    The parser reports when a head or a request ends. A caller that passes it one piece at a time
    knows after each piece to which request the next one belongs, wherever the network splits data.

    A piece that exceeds a limit must not be passed on: `excess` is the response to it.
    """

    __slots__ = (
        "_chunks", "_line_bytes", "_lines", "_tail", "excess", "head_bytes", "is_in_head",
        "left_bytes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.excess: Rejection | None = None
        self.begin_head()

    def is_at_start(self) -> bool:
        """Tell whether no byte of the next request has arrived."""
        return self.is_in_head and not self.head_bytes

    def begin_head(self) -> None:
        """Note that the next byte is the first of a request."""
        self.is_in_head = True
        self.head_bytes = 0  # Those of the current request, so far.
        self._line_bytes = 0  # Those of the request line, so far.
        self.left_bytes = 0  # Those of the body, if its length is known.
        self._lines = 0  # Those of the head, so far.
        self._chunks: ChunkedBody | None = None
        self._tail = b""  # The last bytes before the next piece, if an end may begin in them.

    def begin_body(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Note that a head with these headers has ended; the parser has accepted them."""
        self.is_in_head = False
        for name, value in headers:
            if name == b"content-length":
                self.left_bytes = content_length(value)
            elif name == b"transfer-encoding":
                self._chunks = ChunkedBody()

    def end_of_piece(self, data: bytes, start: int) -> int:
        """Return where the piece ends that begins at `start`."""
        if self.is_in_head:
            end = self._end_in_head(data, start)
        elif self._chunks is not None:
            end, self.excess = self._chunks.end(data, start)
        elif self.left_bytes:
            end = min(len(data), start + self.left_bytes)
            self.left_bytes -= end - start
        else:  # The parser expects a body that no header announces, and rejects it.
            end = len(data)
        return end

    def _end_in_head(self, data: bytes, start: int) -> int:
        end = self._after_blank_line(data, start)
        self.head_bytes += end - start
        if not self._line_bytes:
            start = _after_blank(data, start, end)
        if not self._lines:
            self._line_bytes += (data.find(b"\n", start, end) + 1 or end) - start
        self._lines += data.count(b"\n", start, end)
        if self._line_bytes > MAX_LINE_BYTES:
            self.excess = LONG_LINE
        elif self.head_bytes > MAX_HEAD_BYTES:
            self.excess = LONG_HEAD
        elif self._lines > MAX_HEADERS + 2:  # The request line and the blank line.
            self.excess = MANY_HEADERS
        return end

    def _after_blank_line(self, data: bytes, start: int) -> int:
        """Return the end of the next blank line, with which each head ends."""
        tail, self._tail = self._tail, b""
        if tail:
            seam = tail + data[start : start + 3]
            found = seam.find(_END)
            if found >= 0:
                return start + found + len(_END) - len(tail)
        found = data.find(_END, start)
        if found >= 0:
            return found + len(_END)
        self._tail = (tail + data[max(start, len(data) - 3) :])[-3:]
        return len(data)


def _after_blank(data: bytes, start: int, end: int) -> int:
    """Return where the first line starts that is not blank; such lines may precede a request."""
    while start < end and data[start] in _BLANK:
        start += 1
    return start
