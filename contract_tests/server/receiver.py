"""The kit's callback receiver: responds as scripted and records callbacks.

It also serves the sample images for tasks with reference images: `RECEIVER/images/fox.png`, and
one that is larger than SUB-13 allows: `RECEIVER/images/large.png`.
"""

import secrets
from collections import deque
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Final, Self

from contract_tests.contract.data import FIXTURES
from contract_tests.server.events import Delivery
from contract_tests.server.http_body import InvalidBodyError, read_body
from contract_tests.server.real_time import real_ms

_BODY_MAX: Final = 1024 * 1024  # bytes
_MOST_KEPT: Final = 1000  # deliveries per name
_MOST_NAMES: Final = 100_000
_IMAGES: Final = {
    "fox.gif": "image/gif",
    "fox.jpg": "image/jpeg",
    "fox.png": "image/png",
    "fox.webp": "image/webp",
}
_TOO_LARGE: Final = "large.png"
_IMAGE_MAX: Final = 10 * 1024 * 1024  # SUB-13, bytes
_HIDDEN: Final = frozenset({"host"})


class Receiver:
    """Serves in its own thread, at URLs that cannot be guessed.

    `public_url` is the base URL for the target, if it differs from `host` and `port`.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, public_url: str | None = None
    ) -> None:
        self._token = secrets.token_urlsafe(12)
        self._reactions: dict[str, deque[tuple[int, float]]] = {}
        self._received: dict[str, list[Delivery]] = {}
        self._changed = Condition()
        self.is_over = Event()
        self._server = _Server((host, port), self)
        bound_host, bound_port = self._server.server_address[:2]
        self._origin = (public_url or f"http://{bound_host!s}:{bound_port}").rstrip("/")
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str) -> str:
        """Return the URL at which callbacks of this name arrive."""
        return f"{self._origin}/{self._token}/{name}"

    def script(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        with self._changed:
            self._reactions[name] = deque(reactions)

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        with self._changed:
            self._changed.wait_for(lambda: len(self._received.get(name, ())) >= count, within_s)
            return tuple(self._received.get(name, ()))

    def received(self, prefix: str) -> tuple[tuple[str, tuple[Delivery, ...]], ...]:
        """Return the callbacks so far at each name with this prefix."""
        with self._changed:
            return tuple(
                (name, tuple(came))
                for name, came in self._received.items()
                if name.startswith(prefix)
            )

    def name_of(self, path: str) -> str | None:
        """Return the name in a path, or None for a path without the token."""
        prefix = f"/{self._token}/"
        return path.removeprefix(prefix) if path.startswith(prefix) else None

    def next_reaction(self, name: str) -> tuple[int, float]:
        """Return the status and the delay in seconds for the next callback of this name."""
        with self._changed:
            reactions = self._reactions.get(name)
            return reactions.popleft() if reactions else (200, 0.0)

    def add(self, name: str, delivery: Delivery) -> None:
        """Record a callback and notify the waiting case."""
        with self._changed:
            if name in self._received or len(self._received) < _MOST_NAMES:
                received = self._received.setdefault(name, [])
                if len(received) < _MOST_KEPT:
                    received.append(delivery)
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: some cases make the sender give up, which closes the connection."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self) -> None:
        self._receive()

    def do_GET(self) -> None:
        name = self.server.receiver.name_of(self.path)
        folder, _, image = (name or "").rpartition("/")
        if image in _IMAGES and folder.endswith("/images"):
            content = (FIXTURES / "images" / image).read_bytes()
            self._reply(200, content, _IMAGES[image])
        elif image == _TOO_LARGE and folder.endswith("/images"):
            content = (FIXTURES / "images" / "fox.png").read_bytes()
            self._reply(200, content.ljust(_IMAGE_MAX + 1, b"\0"), "image/png")
        else:
            self._receive()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as in the base
        """Print nothing."""

    def _receive(self) -> None:
        at_ms = real_ms()
        receiver = self.server.receiver
        name = receiver.name_of(self.path)
        try:
            body = read_body(self.rfile, self.headers, _BODY_MAX)
        except InvalidBodyError:
            self.close_connection = True  # Nobody knows where the next request begins.
            self._reply(400)
            return
        if name is None:
            self._reply(404)
            return
        status, delay_s = receiver.next_reaction(name)
        headers = tuple(
            (key, value) for key, value in self.headers.items() if key.lower() not in _HIDDEN
        )
        receiver.add(
            name,
            Delivery(
                method=self.command,
                headers=headers,
                body=body,
                answered=status,
                at_ms=at_ms,
                delay_ms=round(delay_s * 1000),
            ),
        )
        if delay_s:
            receiver.is_over.wait(delay_s)
        self._reply(status)

    def _reply(self, status: int, content: bytes = b"", media_type: str | None = None) -> None:
        self.send_response(status)
        if 300 <= status < 400:  # A separate name shows whether the redirect is followed.
            self.send_header("Location", f"{self.path}-moved")
        if media_type:
            self.send_header("Content-Type", media_type)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
