"""Read the bytes of one HTTP response, within limits."""

from typing import Final

import httptools

# Interim responses (1xx) count, too: a server may send any number of them.
_MAX_HEAD_BYTES: Final = 64 * 1024
# A body of many small chunks has several bytes for each byte of content.
_RAW_BYTES_PER_BYTE: Final = 2


class InvalidResponse(Exception):
    """The bytes are no response of HTTP/1.1, or its head is too large; the text is the reason."""


class ResponseReader:
    """Reads a response from the data that a connection receives.

    `status` is None until the head of the final response is complete. `body` grows until
    `is_complete`, or until `is_too_large`: nothing more is read then. `may_continue` says whether
    the connection can be used for another request.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.has_started = False
        self.is_complete = False
        self.is_too_large = False
        self.may_continue = False
        self._max_body_bytes = max_body_bytes
        self._head_room = _MAX_HEAD_BYTES
        self._body_room = _MAX_HEAD_BYTES + max_body_bytes * _RAW_BYTES_PER_BYTE
        self._parser = httptools.HttpResponseParser(self)
        # Scripts that answer with `printf` often end their lines with LF only.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)

    def header(self, name: bytes) -> str | None:
        """Return the first header with this name in lower case."""
        found = (value for key, value in self.headers if key.lower() == name)
        value = next(found, None)
        return None if value is None else value.decode("latin-1")

    def feed(self, data: bytes) -> None:
        """Read the next bytes; raise InvalidResponse if they cannot be part of a response."""
        self.has_started = True
        if self.status is None:
            head, data = data[: self._head_room], data[self._head_room :]
            self._head_room -= len(head)
            self._parse(head)
            if self.status is None:
                if self._head_room == 0:
                    raise InvalidResponse(
                        f"no status after {_MAX_HEAD_BYTES // 1024} KiB of headers"
                    )
                return
        if data and self._has_room_for(data):
            self._parse(data)

    def end(self) -> None:
        """Take the end of the connection as the end of the body, if its length is not given.

        Raise InvalidResponse if the response is incomplete.
        """
        if self.is_complete:
            return
        if self.status is None:
            raise InvalidResponse("the server disconnected without a complete response")
        names = {name.lower() for name, _ in self.headers}
        if names & {b"content-length", b"transfer-encoding"}:
            raise InvalidResponse("the server disconnected within the body")
        self.is_complete = True

    def _has_room_for(self, data: bytes) -> bool:
        if self.is_complete:
            self.may_continue = False  # Nobody has asked for more.
            return False
        self._body_room -= len(data)
        if self._body_room < 0:
            self.is_too_large = True
        return not self.is_too_large

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_complete = True
            self.may_continue = False
        except httptools.HttpParserError as error:
            self.may_continue = False
            if not self.is_complete:
                raise InvalidResponse(str(error).lower()) from error

    # The parser calls the methods below.
    def on_message_begin(self) -> None:
        if self.is_complete:
            self.may_continue = False
        else:
            self.headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status is None:  # Otherwise it belongs to the trailers.
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        is_interim = 100 <= status < 200 and status != 101
        if self.status is None and not is_interim:
            self.status = status
            self.may_continue = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        if self.is_complete:
            return
        self.body += data
        if len(self.body) > self._max_body_bytes:
            self.is_too_large = True

    def on_message_complete(self) -> None:
        if self.status is not None:
            self.is_complete = True
