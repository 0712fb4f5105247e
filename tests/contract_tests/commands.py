"""Runs the command `contract-tests`, in this process or in one of its own."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from contract_tests.__main__ import main
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "contract_tests")
NETWORK_USED = 99  # exit status of a watched command that has used the network
_NETWORK_USES = frozenset(
    {
        "socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo",
        "socket.gethostbyname",
    }
)  # fmt: skip


class NetworkUsedError(BaseException):
    """A watched command has used the network. Not an Exception, so that nothing handles it."""


class _NetworkWatch:
    """Finds uses of the network, and starts of a server, by threads that a command starts."""

    def __init__(self) -> None:
        self.used = ""
        self._is_on = False
        self._ignored: frozenset[int] = frozenset()
        sys.addaudithook(self._hook)  # it cannot be removed, so there is one in all

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.used, own = "", threading.get_ident()
        others = {thread.ident or 0 for thread in threading.enumerate()} - {own}
        self._ignored = frozenset(others)
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._is_on or threading.get_ident() in self._ignored:
            return
        starts_a_server = event == "subprocess.Popen" and arguments[0] == sys.executable
        if event in _NETWORK_USES or starts_a_server:
            self.used = f"{event} {arguments}"
            raise NetworkUsedError(self.used)


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
