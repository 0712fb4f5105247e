"""Runs the command `contract-tests`, in this process or in one of its own."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractContextManager,
    chdir,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
)
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from contract_tests.__main__ import main
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "contract_tests")
NETWORK_USED = 99  # exit status of a watched command that has used the network


class NetworkUsedError(BaseException):
    """A watched command has used the network. Not an Exception, so that nothing handles it."""


class _NetworkWatch:
    """Finds uses of the network, and starts of a server, by threads that a command starts.

    An audit hook would find more, but it cannot be removed. It would run whenever a thread begins
    to be traced for coverage, and threads that begin at the same time then disturb each other.
    """

    def __init__(self) -> None:
        self.used = ""
        self._ignored: frozenset[int] = frozenset()

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.used, own = "", threading.get_ident()
        others = {thread.ident or 0 for thread in threading.enumerate()} - {own}
        self._ignored = frozenset(others)
        with (
            self._watched(socket.socket, "__init__"),
            self._watched(socket, "getaddrinfo"),
            self._watched(socket, "gethostbyname"),
            self._watched(subprocess.Popen, "__init__", _starts_a_server),
        ):
            yield

    def _watched(
        self, holder: Any, name: str, is_use: Callable[..., bool] = lambda *_, **__: True
    ) -> AbstractContextManager[object]:
        """Replace a function as long as a command is watched."""
        function = getattr(holder, name)

        def watch(*arguments: Any, **options: Any) -> Any:
            is_ours = threading.get_ident() not in self._ignored
            if is_ours and is_use(*arguments, **options):
                self.used = f"{holder.__name__}.{name} {arguments[1:]} {options}"
                raise NetworkUsedError(self.used)
            return function(*arguments, **options)

        return patch.object(holder, name, watch)


def _starts_a_server(_: object, command: Sequence[object], *__: object, **___: object) -> bool:
    return command[0] == sys.executable


_WATCH = _NetworkWatch()


def contract_tests(
    *words: str | Path,
    env: Mapping[str, str] | None = None,
    is_watched: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in this process, where everything is imported already.

    A watched command ends with NETWORK_USED when it makes a socket or resolves a name.
    """
    arguments = [str(word) for word in words]
    output, errors = _stream(), _stream()
    with (
        patch.object(sys, "argv", ["contract-tests", *arguments]),
        patch.dict(os.environ, environment(env), clear=True),
        chdir(ROOT),
        _same_signal_handlers(),
        redirect_stdout(output),
        redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        _main(is_watched=is_watched)
    status = NETWORK_USED if is_watched and _WATCH.used else int(ended.value.code or 0)
    return subprocess.CompletedProcess(arguments, status, _text(output), _text(errors))


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without the API keys of whoever runs the tests."""
    keys = {"APIXO_API_KEY", "APIXO_SECOND_API_KEY"}
    plain = {name: value for name, value in os.environ.items() if name not in keys}
    return plain | {"PYTHONPATH": str(ROOT)} | dict(more or {})


def _main(*, is_watched: bool) -> None:
    if not is_watched:
        main()
    try:
        with _WATCH.watching():
            main()
    except NetworkUsedError:
        sys.exit(NETWORK_USED)


@contextmanager
def _same_signal_handlers() -> Iterator[None]:
    """Undo what the command changes: its handlers end a process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP,
                                                                signal.SIGINT)}  # fmt: skip
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait until a condition holds; fail if the process ends before."""
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(process.communicate())
