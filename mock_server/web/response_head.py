"""The status line and the headers of responses, with the date of the sandbox's clock."""

from email.utils import formatdate
from http import HTTPStatus

import msgspec

from mock_server.web import envelope
from mock_server.web.answer import Answer, Header

_MAX_KEPT = 1000
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
# A rule can inject a status without a phrase.
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}


class ResponseHead(msgspec.Struct, frozen=True):
    """A status with its headers."""

    status: int
    headers: tuple[Header, ...]
    encoded: bytes  # The bytes of HTTP/1.1, including the empty line.

    @classmethod
    def of(cls, status: int, headers: tuple[Header, ...]) -> "ResponseHead":
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return cls(status, headers, b"%b%b\r\n" % (_STATUS_LINES[status], lines))


class ResponseHeads:
    """Makes the head of each response.

    Most responses within a second differ only in status and length, so their heads are kept.
    """

    def __init__(self) -> None:
        self._second = -1
        self._date: Header = (b"date", b"")
        self._kept: dict[tuple[int, int], ResponseHead] = {}  # By status and length of the body.

    def date(self, now_ms: int) -> Header:
        """Return the `Date` header for an instant in Unix milliseconds."""
        if now_ms // 1000 != self._second:
            self._begin(now_ms // 1000)
        return self._date

    def of(self, answer: Answer, more: tuple[Header, ...] = ()) -> ResponseHead:
        """Return the head of a response, with these headers at its end."""
        second = answer.now_ms // 1000
        if second != self._second:
            self._begin(second)
        if answer.headers or more or answer.content_type is not envelope.JSON:
            return _head(answer, self._date, more)
        key = answer.status, len(answer.body)
        head = self._kept.get(key)
        if head is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            head = self._kept[key] = _head(answer, self._date)
        return head

    def _begin(self, second: int) -> None:
        self._second = second
        self._date = (b"date", formatdate(second, usegmt=True).encode())
        self._kept.clear()


def _head(answer: Answer, date: Header, more: tuple[Header, ...] = ()) -> ResponseHead:
    content: tuple[Header, ...] = ()
    if answer.content_type is not None:
        length = b"%d" % len(answer.body)
        content = ((b"content-type", answer.content_type), (b"content-length", length))
    return ResponseHead.of(answer.status, (date, *content, *answer.headers, *more))
