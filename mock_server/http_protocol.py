"""What uvicorn's HTTP protocol lacks.

Requests that offer an upgrade, a bound on headers, and the connection itself for wire faults.
"""

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {EXTENSION: self.transport}
        self.scope["extensions"] = extensions

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_complete()
