"""Find the end of a chunked body, and limit what such a body contains besides its data."""

import re

from mock_server.http_rejections import (
    LONG_CHUNK_LINE,
    LONG_TRAILERS,
    MAX_CHUNK_LINE_BYTES,
    MAX_TRAILERS_BYTES,
    Rejection,
)

_size = re.compile(rb"[0-9A-Fa-f]+").match
_LINE_END_BYTES = 2


class ChunkedBody:
    """The lines of one chunked body. It checks their lengths; the parser checks everything else.

    The parser keeps an incomplete trailer, however long it is, and ignores any number of bytes
    after the size of a chunk.
    """

    __slots__ = ("_chunk_bytes", "_has_trailers", "_line", "_trailers_bytes")

    def __init__(self) -> None:
        self._chunk_bytes = 0  # Of the current chunk, with the end of its line.
        self._has_trailers = False  # Whether the last chunk has ended.
        self._trailers_bytes = 0
        self._line = b""  # The part of a line that has arrived.

    def end(self, data: bytes, start: int) -> tuple[int, Rejection | None]:
        """Return where the body ends in the data, or the end of the data, and what it exceeds."""
        size = len(data)
        while start < size:
            if self._chunk_bytes:
                skipped = min(self._chunk_bytes, size - start)
                self._chunk_bytes -= skipped
                start += skipped
                continue
            end = data.find(b"\n", start) + 1 or size
            line = self._line = self._line + data[start:end]
            start = end
            is_complete = line.endswith(b"\n")
            if is_complete:
                self._line = b""
            if self._has_trailers:
                if self._trailers_bytes + len(line) > MAX_TRAILERS_BYTES:
                    return start, LONG_TRAILERS
                if line == b"\r\n":
                    return start, None
                if is_complete:
                    self._trailers_bytes += len(line)
            elif len(line) > MAX_CHUNK_LINE_BYTES:
                return start, LONG_CHUNK_LINE
            elif is_complete:
                self._begin_chunk(line)
        return start, None

    def _begin_chunk(self, line: bytes) -> None:
        size = _size(line)
        if size is None:  # The parser rejects the line.
            return
        chunk_bytes = int(size[0], 16)
        self._has_trailers = chunk_bytes == 0
        self._chunk_bytes = chunk_bytes + _LINE_END_BYTES if chunk_bytes else 0
