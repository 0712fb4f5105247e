"""The HTTP protocol of uvicorn with three extensions for the mock.

It ignores upgrades, limits the size of request headers and gives wire faults the connection.
This is the only module that uses uvicorn's protocol classes. uvicorn does not document them, so
pyproject.toml limits its version and tests/mock_server/test_uvicorn_api.py checks them.
"""

import asyncio
import logging
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server.web.wire_faults import EXTENSION

log = logging.getLogger("mock_server")

MAX_HEAD_BYTES = 64 * 1024
_TLS_HANDSHAKE = b"\x16\x03"  # The type of the record, and the major version of TLS.

_UPGRADE = re.compile(rb"(\r\n)upgrade(?=\s*:)", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """Serves a request that offers an upgrade, such as to HTTP/2, as if it offered none.

    RFC 9110 §7.8 allows that. The parser would take the body for data of the new protocol and
    drop it. Java's HTTP client offers h2c with each first request.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._head_bytes = 0
        self._lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            if data.startswith(_TLS_HANDSHAKE) and not self._head_bytes:
                self._reject_tls()
                return
            end = data.find(b"\r\n\r\n")
            head = data if end < 0 else data[:end]
            self._head_bytes += len(head)
            if self._head_bytes > MAX_HEAD_BYTES:
                log.warning(
                    "headers from %s port %d exceed 64 KiB; the server sent 400", *self._peer()
                )
                self.send_400_response(f"Request headers must have at most {MAX_HEAD_BYTES} bytes.")
                return
            if b"pgrade" in head or b"PGRADE" in head:
                data = _UPGRADE.sub(rb"\1ignored", head) + data[len(head) :]
        super().data_received(data)

    def _reject_tls(self) -> None:
        log.warning(
            "%s port %d sent a TLS handshake to this http port; use an address that begins with"
            " http://, or start the server with --tls",
            *self._peer(),
        )
        self.send_400_response("This port serves http. Use an address that begins with http://.")

    def _peer(self) -> tuple[str, int]:
        return self.client or ("a client", 0)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._connection = _RequestConnection(self.transport, self._lost)
        extensions: dict[str, Any] = {EXTENSION: self._connection}
        self.scope["extensions"] = extensions

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()
        self._connection.cycle = self.cycle

    def on_message_complete(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_complete()


class _RequestConnection:
    """The connection of one request, for wire faults."""

    __slots__ = ("_lost", "cycle", "transport")

    def __init__(self, transport: asyncio.Transport, lost: asyncio.Event) -> None:
        self.transport = transport
        self.cycle: RequestResponseCycle | None = None
        self._lost = lost

    async def lost(self) -> None:
        """Wait until the connection is lost.

        uvicorn marks only the newest of pipelined requests as disconnected, so this marks its own.
        """
        await self._lost.wait()
        if self.cycle is not None:
            self.cycle.disconnected = True
