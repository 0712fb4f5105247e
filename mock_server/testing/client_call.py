"""Calls a client: with its environment, with its output captured, and with a time limit."""

import asyncio
import ctypes
import inspect
import io
import logging
import os
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Final

import msgspec

from mock_server.testing.job import ClientStopped, Job
from mock_server.testing.returned import Pictures, Returned, returned_by

Client = Callable[[Job], Pictures | Awaitable[Pictures]]

_MAX_OUTPUT: Final = 256 * 1024  # characters
_MAX_END: Final = 500  # characters


def call(client: Client, job: Job) -> Returned:
    """Return what a client returned; await it if the client is a coroutine function."""
    returned = client(job)
    if inspect.isawaitable(returned):
        return returned_by(asyncio.run(_awaited(returned)))
    return returned_by(returned)


async def _awaited(awaitable: Awaitable[Pictures]) -> Pictures:
    return await awaitable


class Exited(msgspec.Struct, frozen=True):
    """How a client called `sys.exit`. It prints the message, if there is one."""

    is_success: bool
    text: str
    message: str = ""


def exited_with(error: SystemExit) -> Exited:
    """Return what a process that ends with this error tells its user."""
    if error.code is None or isinstance(error.code, int):
        status = error.code or 0
        return Exited(status == 0, f"exited with status {status}")
    return Exited(False, "exited with status 1", f"{error.code}\n")  # noqa: FBT003


class Output:
    """Captures what a client prints and logs, up to a limit."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)[-_MAX_OUTPUT:]

    def add(self, text: str) -> None:
        self._parts.append(text[-_MAX_OUTPUT:])

    @contextmanager
    def captured(self) -> Iterator[None]:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            with redirect_stdout(stream), redirect_stderr(stream):
                yield
        finally:
            root.removeHandler(handler)
            self.add(stream.getvalue())


class Watchdog:
    """Stops a client that neither ends nor waits: raises ClientStopped in its thread."""

    def __init__(self, limit_s: float) -> None:
        self._timer = threading.Timer(limit_s, self._fire)
        self._timer.daemon = True
        self._thread_id = threading.get_ident()
        self._lock = threading.Lock()
        self._is_done = False
        self.has_fired = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_done = True
        self._timer.cancel()

    def _fire(self) -> None:
        with self._lock:
            if not self._is_done:
                self.has_fired = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread_id), ctypes.py_object(ClientStopped)
                )


@contextmanager
def environment(job: Job) -> Iterator[None]:
    """Set the variables that clients read, until the block ends."""
    values = {
        "APIXO_BASE_URL": job.base_url,
        "APIXO_API_KEY": job.api_key,
        "APIXO_CALLBACK_URL": f"http://127.0.0.1:{job.callback_port}/callback",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def text_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_MAX_END]


def trace_of(error: BaseException) -> str:
    """Return the messages of an error and of its causes, which a user would see."""
    return "".join(traceback.TracebackException.from_exception(error).format())
