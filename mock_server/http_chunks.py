"""Find the end of a chunked body, and limit what such a body contains besides its data."""

import re
from typing import cast

from mock_server.http_rejections import (
    LONG_CHUNK_LINE,
    LONG_TRAILERS,
    MAX_CHUNK_LINE_BYTES,
    MAX_TRAILERS_BYTES,
    Rejection,
)

_size = re.compile(rb"[0-9A-Fa-f]+").match
# A body may have a million chunks of a few bytes, so a function written in C finds their end.
_tiny_chunks = re.compile(
    rb"(?:%b)*+" % b"|".join(rb"%x\r\n[\s\S]{%d}\r\n" % (size, size) for size in range(1, 10))
).match
_LINE_END_BYTES = 2
_SIMPLE_LINE_BYTES = 18  # This is enough for a size of 64 bits.


class ChunkedBody:
    """The lines of one chunked body. It checks their lengths; the parser checks everything else.

    The parser keeps an incomplete trailer, however long it is, and ignores any number of bytes
    after the size of a chunk.
    """

    __slots__ = ("_chunk_bytes", "_has_trailers", "_is_over", "_line", "_trailers_bytes")

    def __init__(self) -> None:
        self._chunk_bytes = 0  # What is left of the current chunk, with its line end.
        self._has_trailers = False  # Whether the last chunk has ended.
        self._is_over = False
        self._trailers_bytes = 0
        self._line = b""  # The part of a line that has arrived.

    def end(self, data: bytes, start: int) -> tuple[int, Rejection | None]:
        """Return where the body ends, or the end of the data; and the limit that it exceeds."""
        size, excess = len(data), None
        while start < size and not self._is_over and excess is None:
            if self._chunk_bytes:
                skipped = min(self._chunk_bytes, size - start)
                self._chunk_bytes -= skipped
                start += skipped
                continue
            if not (self._line or self._has_trailers):
                start = self._after_simple_chunks(data, start)
            if start < size:
                end = data.find(b"\n", start) + 1 or size
                self._line += data[start:end]
                start = end
                excess = self._read_trailer() if self._has_trailers else self._read_size()
        return start, excess

    def _read_trailer(self) -> Rejection | None:
        line = self._line
        if self._trailers_bytes + len(line) > MAX_TRAILERS_BYTES:
            return LONG_TRAILERS
        if line.endswith(b"\n"):
            self._is_over = line == b"\r\n"
            self._trailers_bytes += len(line)
            self._line = b""
        return None

    def _read_size(self) -> Rejection | None:
        line = self._line
        if len(line) > MAX_CHUNK_LINE_BYTES:
            return LONG_CHUNK_LINE
        if line.endswith(b"\n"):
            self._line = b""
            size = _size(line)
            if size is not None:  # Otherwise the parser rejects the line.
                chunk_bytes = int(size[0], 16)
                self._has_trailers = chunk_bytes == 0
                self._chunk_bytes = chunk_bytes + _LINE_END_BYTES if chunk_bytes else 0
        return None

    def _after_simple_chunks(self, data: bytes, start: int) -> int:
        """Skip chunks whose line has only a size."""
        start = cast("re.Match[bytes]", _tiny_chunks(data, start)).end()
        while (line_end := data.find(b"\n", start, start + _SIMPLE_LINE_BYTES)) > 0:
            try:
                chunk_bytes = int(data[start:line_end], 16)
            except ValueError:
                break
            if chunk_bytes <= 0:
                break
            start = line_end + 1 + chunk_bytes + _LINE_END_BYTES
            if start > len(data):
                self._chunk_bytes = start - len(data)
                return len(data)
        return start
