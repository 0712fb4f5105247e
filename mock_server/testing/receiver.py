"""A callback receiver on the loopback address, for tests."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any, Self

from mock_server.testing.request_body import InvalidBody, read_request_body

_MAX_BODY_BYTES = 1024 * 1024
_MAX_BODIES = 10_000


class CallbackReceiver:
    """Records the callbacks posted to `url`; returns `status` after `delay_s` real seconds."""

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
        """Listen on a free port, in a thread, until the block ends."""
        server = _Server(("127.0.0.1", 0), _Handler)
        receiver = cls(f"http://127.0.0.1:{server.server_port}/callback")
        server.record = receiver._record
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver._closing.set()  # Delayed responses end now.
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def payloads(self) -> list[Any]:
        """The decoded bodies in the order of their arrival; None for a body that is not JSON."""
        return [_decode(body) for body in self.bodies]

    def wait_for(self, count: int = 1, timeout: float = 5.0) -> list[Any]:
        """Return all payloads once at least `count` have arrived.

        Raise AssertionError after `timeout` real seconds.
        """
        with self._changed:
            is_complete = self._changed.wait_for(lambda: len(self.bodies) >= count, timeout)
        assert is_complete, f"received {len(self.bodies)} of {count} callbacks within {timeout:g} s"
        return self.payloads

    def _record(self, body: bytes) -> int:
        """Store a body, wait for the delay and return the status of the response."""
        with self._changed:
            self.bodies.append(body)
            del self.bodies[:-_MAX_BODIES]
            self._changed.notify_all()
        if self.delay_s:
            self._closing.wait(self.delay_s)
        return self.status


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # With the default of 5, a burst of callbacks would wait for seconds.
    record: Callable[[bytes], int]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore senders that close the connection: tests do that on purpose."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # The base class has types of its own.


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        try:
            body = read_request_body(self.rfile, self.headers, _MAX_BODY_BYTES)
        except InvalidBody:
            self.close_connection = True  # The start of the next request is unknown.
            status = 400
        else:
            status = self.server.record(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The base class names it.
        """Log nothing: standard error belongs to the test suite."""


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
