"""A receiver of callbacks on the loopback address, in a thread of its own."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any, Self

_MAX_BYTES = 1024 * 1024
_MAX_KEPT = 10_000


class CallbackReceiver:
    """Takes what is posted to `url`, and answers `status` after `delay_s` seconds."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.delay_s = 0.0
        self.bodies: list[bytes] = []
        self._changed = Condition()
        self._closing = Event()

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[Self]:
        server = _Server(("127.0.0.1", 0), _Handler)
        receiver = cls(f"http://127.0.0.1:{server.server_port}/callback")
        server.take = receiver._take
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver._closing.set()  # its own class
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def payloads(self) -> list[Any]:
        """What was posted, decoded; garbage is None."""
        return [_decoded(body) for body in self.bodies]

    def wait_for(self, count: int = 1, timeout: float = 5.0) -> list[Any]:
        """Return the payloads as soon as there are so many. Raises AssertionError."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.bodies) >= count, timeout)
        assert came, f"{len(self.bodies)} of {count} callbacks came within {timeout:g} s"
        return self.payloads

    def _take(self, body: bytes) -> int:
        with self._changed:
            self.bodies.append(body)
            del self.bodies[:-_MAX_KEPT]
            self._changed.notify_all()
        if self.delay_s:
            self._closing.wait(self.delay_s)
        return self.status


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    take: Callable[[bytes], int]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a sender that has given up: that is part of what is tried."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _MAX_BYTES)
        status = self.server.take(self.rfile.read(max(length, 0)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as its base names it
        """Say nothing: standard error belongs to the suite."""


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
