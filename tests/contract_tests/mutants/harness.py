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
def serving(mutant: Mutant) -> Iterator[str]:
    """Serve a mutant on a free loopback port; give its address."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = msgspec.structs.replace(mutant.settings, host="127.0.0.1", port=port)
    true_sender = HttpSender(Egress("private"), timeout_s=settings.callback_timeout_ms / 1000)
    sender = mutant.sender(true_sender) if mutant.sender else true_sender
    app = MockServer(settings, sender=sender)
    config = uvicorn_config(app)
    config.app = _wrapped(app, mutant.make())
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name=mutant.name)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


def _wrapped(app: ASGIApp, broken: Break) -> ASGIApp:
    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_mock"):
            await app(scope, receive, send)
            return
        asked = Asked(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=tuple((bytes(name), bytes(value)) for name, value in scope["headers"]),
            body=await _body(receive),
        )
        told = await broken(asked, lambda changed: _ask(app, scope, changed))
        kept = [each for each in told.headers if each[0] != b"content-length"]
        headers = [*kept, (b"content-length", str(len(told.body)).encode())]
        await send({"type": "http.response.start", "status": told.status, "headers": headers})
        await send({"type": "http.response.body", "body": told.body})

    return wrapper


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
