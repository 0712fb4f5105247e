"""Broken servers: the true mock behind a thin wrapper that breaks one thing."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.domain.ports import Sender
from mock_server.runtime.egress import Egress
from mock_server.runtime.sender import HttpSender
from mock_server.server import listen, uvicorn_config
from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.patience import PATIENCE_S


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A whole request."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]  # names in lower case
    body: bytes

    @property
    def is_submit(self) -> bool:
        return self.method == "POST" and self.path.startswith("/api/v1/generateTask/")

    @property
    def is_status(self) -> bool:
        return self.method == "GET" and self.path.startswith("/api/v1/statusTask/")

    @property
    def is_result(self) -> bool:
        return self.path.startswith("/results/")

    @property
    def json(self) -> Any:
        try:
            return msgspec.json.decode(self.body)
        except RecursionError as error:
            raise msgspec.DecodeError("nested too deep") from error

    def header(self, name: bytes) -> bytes:
        return dict(self.headers).get(name, b"")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A whole response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    is_chunked: bool = False
    """Whether it is sent in chunks, without its length."""

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def with_json(self, value: Any) -> "Told":
        return replace(self, body=msgspec.json.encode(value))

    def with_status(self, status: int) -> "Told":
        """Change the status, and the envelope's code with it."""
        return replace(self, status=status).with_json(self.json | {"code": status})


Serve = Callable[[Asked], Awaitable[Told]]
Break = Callable[[Asked, Serve], Awaitable[Told]]
"""Answers a request, by asking the true mock as often as it likes."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`name` is unique; a case of `clause` must catch it.

    `make` gives each server a fresh Break, with a memory of its own.
    """

    name: str
    clause: str
    make: Callable[[], Break] = field(default=lambda: through)
    sender: Callable[[Sender], Sender] | None = None
    settings: Settings = field(default_factory=lambda: Settings(clock="manual", seed=7))
    has_result_host: bool = False
    """Whether results have a host of their own, which is another port."""

    def parts(self) -> "Parts":
        """Return what one server consists of beside the true mock."""
        return Parts(answer=self.make(), sender=self.sender)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What surrounds the true mock of one server; the parts may share a memory."""

    answer: Break
    sender: Callable[[Sender], Sender] | None = None
    control: Break | None = None
    """Answers `/_mock`; None for the true control plane."""


async def through(asked: Asked, serve: Serve) -> Told:
    return await serve(asked)


def answers(change: Callable[[Asked, Told], Told]) -> Callable[[], Break]:
    """Change what the mock answers."""

    async def broken(asked: Asked, serve: Serve) -> Told:
        return change(asked, await serve(asked))

    return lambda: broken


def requests(change: Callable[[Asked], Asked]) -> Callable[[], Break]:
    """Change what the mock is asked."""

    async def broken(asked: Asked, serve: Serve) -> Told:
        return await serve(change(asked))

    return lambda: broken


def status_data(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[], Break]:
    """Change `data` of every good status answer."""

    def changed(asked: Asked, told: Told) -> Told:
        if not asked.is_status or told.status != 200:
            return told
        envelope = told.json
        return told.with_json(envelope | {"data": change(envelope["data"])})

    return answers(changed)


@contextmanager
def serving(mutant: Mutant, *, is_foreign: bool = False) -> Iterator[str]:
    """Serve a mutant on a free loopback port; give its address.

    A foreign server is fast, keeps real time and has no control plane.
    """
    listeners = [listen("127.0.0.1", 0) for _ in range(1 + mutant.has_result_host)]
    port, result_port = listeners[0].getsockname()[1], listeners[-1].getsockname()[1]
    settings = mutant.settings
    if is_foreign:
        settings = msgspec.structs.replace(settings, clock="real", generation_time_ms=1000)
    settings = msgspec.structs.replace(
        settings,
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{result_port}" if mutant.has_result_host else None,
    )
    true_sender = HttpSender(Egress("private"), timeout_s=settings.callback_timeout_ms / 1000)
    parts = mutant.parts()
    sender = parts.sender(true_sender) if parts.sender else true_sender
    app = MockServer(settings, sender=sender)
    config = uvicorn_config(app, is_direct=False)  # Every request passes the parts.
    config.app = _wrapped(app, parts, is_foreign=is_foreign)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": listeners}, name=mutant.name)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


def _wrapped(app: ASGIApp, parts: Parts, *, is_foreign: bool) -> ASGIApp:
    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        is_control = scope["type"] == "http" and scope["path"].startswith("/_mock")
        if is_control and is_foreign:
            # To the true mock, this is a path that it does not know.
            unknown = {"path": "/no-such-page", "raw_path": b"/no-such-page"}
            await app(dict(scope) | unknown, receive, send)
            return
        answer = parts.control if is_control else parts.answer
        if scope["type"] != "http" or answer is None:
            await app(scope, receive, send)
            return
        asked = Asked(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=tuple((bytes(name), bytes(value)) for name, value in scope["headers"]),
            body=await _body(receive),
        )
        await _send(send, await answer(asked, lambda changed: _ask(app, scope, changed)))

    return wrapper


async def _send(send: Send, told: Told) -> None:
    headers = [each for each in told.headers if each[0].lower() != b"content-length"]
    if not told.is_chunked:
        headers.append((b"content-length", str(len(told.body)).encode()))
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    middle = len(told.body) // 2 if told.is_chunked else 0
    if middle:
        first = {"type": "http.response.body", "body": told.body[:middle], "more_body": True}
        await send(first)
    await send({"type": "http.response.body", "body": told.body[middle:]})


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _ask(app: ASGIApp, scope: Scope, asked: Asked) -> Told:
    kept = [each for each in asked.headers if each[0] != b"content-length"]
    inner = dict(scope) | {
        "method": asked.method,
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "query_string": asked.query,
        "headers": [*kept, (b"content-length", str(len(asked.body)).encode())],
        "state": {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(inner, receive, send)
    return Told(
        status=sent[0]["status"],
        headers=tuple((bytes(name), bytes(value)) for name, value in sent[0]["headers"]),
        body=b"".join(bytes(message.get("body", b"")) for message in sent[1:]),
    )
