"""Receive the callbacks of the service (CB-1 … CB-5)."""

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

from client_reference.answers import read_task
from client_reference.errors import UnexpectedResponse, WaitTimeout
from client_reference.task import Task

if TYPE_CHECKING:
    from uvicorn import Server

_BODY_MAX = 1024 * 1024  # bytes
_KEPT_TASKS_MAX = 10_000
_CHECK_EVERY_S = 0.05
_STOP_S = 5.0


def parse_callback(body: bytes) -> Task:
    """Return the task in the body of a callback; the body is that of a status response (CB-1).

    Raises UnexpectedResponse for any other body.  The service documents no signature (CB-6), so a
    callback is trustworthy only if its URL is secret.
    """
    return read_task(body)


class Receiver(Protocol):
    """What `generate(via="callback")` needs from a receiver."""

    @property
    def url(self) -> str:
        """The `callback_url` for a submit."""

    def received(self, task_id: str) -> Task | None:
        """Return the ended task if its callback has arrived, else None."""


class CallbackReceiver:
    """A small server for callbacks, with a URL that cannot be guessed.

    Use it with `with` or `async with` to run it in its own thread, or mount `app` in your server.
    It listens on `host` and `port`; port 0 (default) chooses a free port.
    `public_url` is the base URL for the service, if it differs from host and port.

    It responds to callbacks with 200 at once, and to other requests with 400.  The first callback
    with a final state counts; duplicates are ignored (CB-4).
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, public_url: str | None = None
    ) -> None:
        if public_url is not None and urlsplit(public_url).scheme not in {"http", "https"}:
            raise ValueError("public_url: must be an http or https URL")
        self._address = (host, port)
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._token = secrets.token_urlsafe(24)
        self._ended: OrderedDict[str, Task] = OrderedDict()
        self._lock = Lock()
        self._server: _ServerThread | None = None
        self.app = Starlette(routes=[Route(f"/{self._token}", self._receive, methods=["POST"])])

    def __repr__(self) -> str:
        return f"CallbackReceiver(host={self._address[0]!r}, port={self._address[1]})"

    def __enter__(self) -> Self:
        if self._server is not None:
            raise RuntimeError("the receiver is already running")
        self._server = _ServerThread(self.app, self._address)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

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
        """The `callback_url` for a submit."""
        if self._public_url is not None:
            return f"{self._public_url}/{self._token}"
        if self._server is None:
            raise RuntimeError("the receiver is not running: use it in a `with` block")
        return f"{self._server.origin}/{self._token}"

    def received(self, task_id: str) -> Task | None:
        """Return the ended task if its callback has arrived, else None."""
        with self._lock:
            return self._ended.get(task_id)

    async def wait_for(self, task_id: str, *, timeout: float | None = None) -> Task:  # noqa: ASYNC109  # as `wait` of a client
        """Wait for the callback of a task, unless it has already arrived; return the ended task.

        Raises WaitTimeout after `timeout` seconds (default: never).  A callback may be lost, so
        request the `status` then.
        """
        with anyio.move_on_after(timeout):
            while True:
                task = self.received(task_id)
                if task is not None:
                    return task
                await anyio.sleep(_CHECK_EVERY_S)
        raise WaitTimeout(f"no callback for task {task_id} within {timeout} s", Task(id=task_id))

    async def _receive(self, request: Request) -> Response:
        body = bytearray()
        try:
            async for part in request.stream():
                body += part
                if len(body) > _BODY_MAX:
                    return _reject(413, f"the body is longer than {_BODY_MAX} bytes")
        except ClientDisconnect:
            return _reject(
                400, "the body is truncated"
            )  # The service does not receive this, and retries.
        try:
            task = parse_callback(bytes(body))
        except UnexpectedResponse as error:
            return _reject(400, error.problem)
        if task.is_final:
            with self._lock:
                self._ended.setdefault(task.id, task)
                if len(self._ended) > _KEPT_TASKS_MAX:
                    self._ended.popitem(last=False)
        return Response()


class _ServerThread:
    """A server in its own thread; it does not handle the signals of the process."""

    def __init__(self, app: Starlette, address: tuple[str, int]) -> None:
        import uvicorn  # noqa: PLC0415  # Only programs that receive callbacks need it.

        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=1024)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._uvicorn: Server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._uvicorn.run, args=([self._listener],), name="callbacks", daemon=True
        )
        self._thread.start()

    @property
    def origin(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(_STOP_S)
        self._listener.close()


def _reject(status: int, problem: str) -> Response:
    body = {"code": status, "message": "Not a callback", "data": {"error": problem}}
    return JSONResponse(body, status_code=status)
