"""What uvicorn's HTTP protocol lacks.

Requests that offer an upgrade, a bound on headers, and the connection itself for wire faults.
"""

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server.web.wire_faults import EXTENSION

MAX_HEAD_BYTES = 64 * 1024

_UPGRADE = re.compile(rb"(\r\n)upgrade(?=\s*:)", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """Serves a request that offers HTTP/2 or any other upgrade as if it did not.

    RFC 9110 §7.8 allows that. The parser beneath would take what follows the headers for the new
    protocol and lose the body; Java's client offers h2c with every first request.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._head_bytes = 0
        self._lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            end = data.find(b"\r\n\r\n")
            head = data if end < 0 else data[:end]
            self._head_bytes += len(head)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("Request headers are too long.")
                return
            if b"pgrade" in head or b"PGRADE" in head:
                data = _UPGRADE.sub(rb"\1ignored", head) + data[len(head) :]
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._connection = _Connection(self.transport, self._lost)
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


class _Connection:
    """What a wire fault may do to the connection beneath its request."""

    def __init__(self, transport: asyncio.Transport, lost: asyncio.Event) -> None:
        self.transport = transport
        self.cycle: RequestResponseCycle | None = None
        self._lost = lost

    async def lost(self) -> None:
        """Wait until it is gone; uvicorn tells so only to the newest of pipelined requests."""
        await self._lost.wait()
        if self.cycle is not None:
            self.cycle.disconnected = True
