"""Receive the callbacks of the service (CB-1 … CB-5)."""

import secrets
from collections import OrderedDict
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from client_reference.answers import read_task
from client_reference.errors import UnexpectedResponse, WaitTimeout
from client_reference.task import Task

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from client_reference.callback_server import ServerThread

_KEPT_TASKS_MAX = 10_000
_CHECK_EVERY_S = 0.05


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
        self._server: ServerThread | None = None
        from client_reference.callback_server import callback_app  # noqa: PLC0415  # a web server

        self.app: Starlette = callback_app(self._token, self._problem_of)

    def __repr__(self) -> str:
        return f"CallbackReceiver(host={self._address[0]!r}, port={self._address[1]})"

    def __enter__(self) -> Self:
        if self._server is not None:
            raise RuntimeError("the receiver is already running")
        from client_reference.callback_server import ServerThread  # noqa: PLC0415  # a web server

        self._server = ServerThread(self.app, self._address)
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

    def _problem_of(self, body: bytes) -> str | None:
        """Keep the task of a callback if it has ended; return what is wrong with the body."""
        try:
            task = parse_callback(body)
        except UnexpectedResponse as error:
            return error.problem
        if task.is_final:
            with self._lock:
                self._ended.setdefault(task.id, task)
                if len(self._ended) > _KEPT_TASKS_MAX:
                    self._ended.popitem(last=False)
        return None
