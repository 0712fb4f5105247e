"""Where the requests of a connection begin and end in the data that arrives."""

from collections.abc import Iterable

_END = b"\r\n\r\n"


class RequestFraming:
    """Cuts the data of a connection into pieces, so that each request begins a new piece.

    The parser reports when a head or a request ends. A caller that passes it one piece at a time
    knows after each piece to which request the next one belongs, wherever the network splits data.
    """

    __slots__ = ("_tail", "head_bytes", "is_in_head", "left_bytes")

    def __init__(self) -> None:
        self.begin_head()

    def is_at_start(self) -> bool:
        """Tell whether no byte of the next request has arrived."""
        return self.is_in_head and not self.head_bytes

    def begin_head(self) -> None:
        """Note that the next byte is the first of a request."""
        self.is_in_head = True
        self.head_bytes = 0  # Of the current request, so far.
        self.left_bytes: int | None = 0  # Of the body, if its length is known.
        self._tail = b""  # The last bytes before the next piece, if an end may begin in them.

    def begin_body(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Note that a head with these headers has ended; the parser has accepted them."""
        self.is_in_head = False
        self._tail = b""
        lengths = [int(value) for name, value in headers if name == b"content-length"]
        self.left_bytes = lengths[0] if lengths else None

    def end_of_piece(self, data: bytes, start: int) -> int:
        """Return where the piece ends that begins at `start`."""
        if self.is_in_head or self.left_bytes is None:
            end = self._after_blank_line(data, start)
        else:
            end = min(len(data), start + self.left_bytes)
            self.left_bytes -= end - start
        if self.is_in_head:
            self.head_bytes += end - start
        return end

    def _after_blank_line(self, data: bytes, start: int) -> int:
        """Return the end of the next blank line, with which each head and chunked body ends."""
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
