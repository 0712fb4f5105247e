"""The headers of requests and responses, which the entries of a journal often have in common."""

from collections.abc import Callable

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]

# The memory of the objects, without texts. A test compares the weights of a journal with the memory
# that is allocated.
_OBJECT_BYTES = 170
_HEADER_BYTES = 130
_ANSWER_HEADER_BYTES = 80  # The names of these, and some values, are constants.

_OF_NO_ENTRY: Headers = ((b"", b""),)


def request_weight(headers: Headers) -> int:
    """Return about how much memory the headers of a request use, in bytes."""
    if not headers:
        return 0
    text_bytes = sum(len(name) + len(value) for name, value in headers)
    return _OBJECT_BYTES + len(headers) * _HEADER_BYTES + text_bytes


def response_weight(headers: Headers) -> int:
    """Return about how much memory the headers of a response use, in bytes."""
    if not headers:
        return 0
    values_bytes = sum(len(value) for _, value in headers)
    return _OBJECT_BYTES + len(headers) * _ANSWER_HEADER_BYTES + values_bytes


class _Stored:
    __slots__ = ("bytes", "headers", "last")

    def __init__(self, headers: Headers, weight: int) -> None:
        self.headers = headers
        self.bytes = weight
        # The number of the last entry that has them. It is not updated while the newest entry has
        # them.
        self.last = 0


class SharedHeaders:
    """The headers of all requests of a journal, or of all its responses. Equal ones count once.

    `newest` are those of the newest entry. `weigh` returns the weight of headers in bytes.
    """

    __slots__ = ("_newest", "_stored", "_weigh", "newest")

    def __init__(self, weigh: Callable[[Headers], int]) -> None:
        self._weigh = weigh
        self.clear()

    def clear(self) -> None:
        """Forget all headers."""
        self._stored: dict[Headers, _Stored] = {}
        self._newest = _Stored(_OF_NO_ENTRY, 0)
        self.newest = _OF_NO_ENTRY

    def add(self, headers: Headers, last: int) -> int:
        """Make `newest` the object that is equal to these headers; return the added bytes.

        `last` is the number of the entry before, which has other headers.
        """
        self._newest.last = last
        stored = self._stored.get(headers)
        added_bytes = 0
        if stored is None:
            stored = self._stored[headers] = _Stored(headers, self._weigh(headers))
            added_bytes = stored.bytes
        self._newest, self.newest = stored, stored.headers
        return added_bytes

    def release(self, headers: Headers, dropped: int) -> int:
        """Forget the headers of a dropped entry if no other entry has them; return their bytes.

        `dropped` is the number of this entry.
        """
        stored = self._stored[headers]
        if stored is self._newest or stored.last > dropped:
            return 0
        del self._stored[headers]
        return stored.bytes
