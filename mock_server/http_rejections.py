"""Error responses to data that is not valid HTTP or exceeds a limit. They end the connection."""

from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from mock_server.web import envelope

MAX_LINE_BYTES = 16 * 1024
MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 1000
MAX_CHUNK_LINE_BYTES = 8 * 1024
MAX_TRAILERS_BYTES = 8 * 1024


@dataclass(frozen=True)
class Rejection:
    """A response with this status; `detail` becomes `data.error`."""

    status: int
    detail: str

    @cached_property
    def response(self) -> bytes:
        """The response as it is sent."""
        status = HTTPStatus(self.status)
        body = envelope.error(status, status.phrase, self.detail)
        return (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        ).encode() + body


INVALID = Rejection(400, "the request is not valid HTTP/1.1")
TLS_HANDSHAKE = Rejection(400, "this port serves http; use an address that begins with http://")
LONG_LINE = Rejection(414, f"request line: must have at most {MAX_LINE_BYTES} bytes")
LONG_HEAD = Rejection(431, f"headers: must have at most {MAX_HEAD_BYTES} bytes together")
MANY_HEADERS = Rejection(431, f"headers: must be at most {MAX_HEADERS} in number")
LONG_CHUNK_LINE = Rejection(
    400, f"body: the line before a chunk must have at most {MAX_CHUNK_LINE_BYTES} bytes"
)
LONG_TRAILERS = Rejection(431, f"trailers: must have at most {MAX_TRAILERS_BYTES} bytes together")
SLOW_HEAD = Rejection(408, "the headers of the request did not arrive in time (--head-timeout)")
SLOW_BODY = Rejection(408, "the body of the request did not arrive in time (--body-timeout)")
TOO_MANY_CONNECTIONS = Rejection(503, "too many connections are open; try again later")
