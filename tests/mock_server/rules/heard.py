"""What comes back on a plain socket, byte by byte, until the connection ends."""

import json
import ssl
from dataclasses import dataclass

from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that came, in how many pieces, and whether the connection was reset."""

    raw: bytes
    pieces: int
    is_reset: bool

    @property
    def status(self) -> bytes:
        return self.raw[9:12]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def has_json(self) -> bool:
        try:
            json.loads(self.body)
        except ValueError:
            return False
        return True

    @property
    def is_whole(self) -> bool:
        return not self.is_reset and self.header("content-length") == b"%d" % len(self.body)

    def header(self, name: str) -> bytes:
        """Return the value of a header, empty when there is none."""
        lines = self.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        pairs = [line.partition(b": ") for line in lines]
        return next((value for found, _, value in pairs if found.lower() == name.encode()), b"")


def written(
    api: Api,
    line: str,
    body: bytes = b"",
    *,
    is_last: bool = True,
    headers: tuple[str, ...] = (),
) -> bytes:
    """Return a request as bytes; after the last one the server closes the connection."""
    head = [
        f"{line} HTTP/1.1",
        "Host: mock.test",
        f"Authorization: Bearer {api.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    head += ["Connection: close"] if is_last else []
    return "\r\n".join([*head, "", ""]).encode() + body


def heard(mock: RunningMock, request: bytes) -> Heard:
    """Send bytes on a fresh connection and take whatever comes, to its end."""
    pieces: list[bytes] = []
    is_reset = False
    with mock.connect() as line:
        line.sendall(request)
        try:
            while piece := line.recv(65_536):
                pieces.append(piece)
        except (ConnectionResetError, ssl.SSLEOFError):  # With TLS, Python reports a reset so.
            is_reset = True
    return Heard(raw=b"".join(pieces), pieces=len(pieces), is_reset=is_reset)
