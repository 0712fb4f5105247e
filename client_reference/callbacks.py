"""Receives the callbacks of the service (CB-1 … CB-5)."""

import secrets
import socket
from collections import OrderedDict
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from client_reference.answers import task_of
from client_reference.errors import UnexpectedResponse, WaitTimeout
from client_reference.task import Task

if TYPE_CHECKING:
    from uvicorn import Server

_BODY_MAX = 1024 * 1024  # bytes
_KEPT = 10_000  # tasks whose end is remembered
_LOOK_EVERY_S = 0.05
_STOP_S = 5.0


def parse_callback(body: bytes) -> Task:
    """Read what the service posts: what a status request would answer (CB-1).

    Raises UnexpectedResponse for anything else.  No signature is documented (CB-6): what makes a
    callback believable is an address that nobody guesses.
    """
    return task_of(body)


class Receiver(Protocol):
    """What `generate(via="callback")` needs of a receiver."""

    @property
    def url(self) -> str:
        """Return the address to give to the service."""

    def received(self, task_id: str) -> Task | None:
        """Return the ended task if its callback has come."""


class CallbackReceiver:
    """A small server for callbacks, at an address that nobody guesses.

    `with` or `async with` serves it in a thread of its own; `app` can be mounted in a server of
    yours instead.  `public_url` is how the service reaches it, where that is not `host` and
    `port`; port 0 takes a free one.  A callback is answered 200 at once, and the first one that
    tells a task's end counts, so that duplicates do nothing (CB-4); what is no callback gets 400.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, public_url: str | None = None
    ) -> None:
        if public_url is not None and urlsplit(public_url).scheme not in {"http", "https"}:
            raise ValueError("public_url: must be an http or https address")
        self._address = (host, port)
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._token = secrets.token_urlsafe(24)
        self._ended: OrderedDict[str, Task] = OrderedDict()
        self._lock = Lock()
        self._serving: _Serving | None = None
        self.app = Starlette(routes=[Route(f"/{self._token}", self._take, methods=["POST"])])

    def __repr__(self) -> str:
        return f"CallbackReceiver(host={self._address[0]!r}, port={self._address[1]})"

    def __enter__(self) -> Self:
        if self._serving is not None:
            raise RuntimeError("the receiver is served already")
        self._serving = _Serving(self.app, self._address)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._serving is not None:
            self._serving.stop()
            self._serving = None

    async def __aenter__(self) -> Self:
        return await anyio.to_thread.run_sync(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.__exit__, None, None, None)

    @property
    def url(self) -> str:
        """The `callback_url` to give to a submit."""
        if self._public_url is not None:
            return f"{self._public_url}/{self._token}"
        if self._serving is None:
            raise RuntimeError("the receiver has no address yet: use it in a `with` block")
        return f"{self._serving.origin}/{self._token}"

    def received(self, task_id: str) -> Task | None:
        """Return the ended task if its callback has come."""
        with self._lock:
            return self._ended.get(task_id)

    async def wait_for(self, task_id: str, *, timeout: float | None = None) -> Task:  # noqa: ASYNC109  # as Client.wait
        """Return the ended task as soon as its callback has come, also if it came before.

        Raises WaitTimeout after `timeout` seconds: a callback may be lost, so then ask `status`.
        """
        with anyio.move_on_after(timeout):
            while True:
                task = self.received(task_id)
                if task is not None:
                    return task
                await anyio.sleep(_LOOK_EVERY_S)
        raise WaitTimeout(f"no callback of {task_id} came within {timeout} s", Task(id=task_id))

    async def _take(self, request: Request) -> Response:
        body = bytearray()
        try:
            async for part in request.stream():
                body += part
                if len(body) > _BODY_MAX:
                    return _refuse(413, f"a callback has at most {_BODY_MAX} bytes")
        except ClientDisconnect:
            return _refuse(400, "the callback breaks off")  # to nobody; the service sends it again
        try:
            task = parse_callback(bytes(body))
        except UnexpectedResponse as error:
            return _refuse(400, error.problem)
        if task.is_final:
            with self._lock:
                self._ended.setdefault(task.id, task)
                if len(self._ended) > _KEPT:
                    self._ended.popitem(last=False)
        return Response()


class _Serving:
    """A server in a thread, where it leaves the signals of the process alone."""

    def __init__(self, app: Starlette, address: tuple[str, int]) -> None:
        import uvicorn  # noqa: PLC0415  # heavy, and only who receives callbacks needs it

        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=1024)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server: Server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._server.run, args=([self._listener],), name="callbacks", daemon=True
        )
        self._thread.start()

    @property
    def origin(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_S)
        self._listener.close()


def _refuse(status: int, problem: str) -> Response:
    body = {"code": status, "message": "No callback", "data": {"error": problem}}
    return JSONResponse(body, status_code=status)
