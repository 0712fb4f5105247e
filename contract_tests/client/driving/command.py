"""A client under test as a command: what is put into it, and how it ends."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from threading import Lock
from typing import IO, Final

from contract_tests.client.exchange import Ended
from contract_tests.contract.errors import ClientCommandError

PLACEHOLDERS: Final = ("base_url", "api_key", "prompt", "out_dir", "image_url", "callback_port")
_OUTPUT_KEPT: Final = 256 * 1024  # bytes, the last ones
_PATIENCE_S: Final = 2.0
_NOT_FOUND: Final = 127


class ClientCommand:
    """Words with placeholders such as `{prompt}`; other braces are left alone."""

    def __init__(self, written: str) -> None:
        try:
            self._words = shlex.split(written)
        except ValueError as error:
            raise ClientCommandError(f"--exec: {error}") from error
        if not self._words:
            raise ClientCommandError("--exec: is empty; give the command of your client")
        if "{" not in self._words[0] and shutil.which(self._words[0]) is None:
            raise ClientCommandError(f"--exec: there is no command {self._words[0]!r}")
        self.written = written

    @property
    def takes_callbacks(self) -> bool:
        return any("{callback_port}" in word for word in self._words)

    def words(self, values: Mapping[str, str]) -> list[str]:
        return [_filled(word, values) for word in self._words]


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


class Processes:
    """Runs clients, and ends those that still run when nobody waits for them any more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def run(self, words: list[str], environment: Mapping[str, str], timeout_s: float) -> Ended:
        """Wait for a client to end, and end it with all that it has started when it does not."""
        with tempfile.TemporaryFile() as output:
            began_s = time.monotonic()
            try:
                process = self._started(words, environment, output)
            except OSError as error:
                return Ended(exit_status=_NOT_FOUND, output=f"{words[0]}: {error.strerror}")
            timed_out = False
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                timed_out = True
            after_s = time.monotonic() - began_s
            _end(process)
            with self._lock:
                self._running.discard(process)
            return Ended(
                exit_status=process.returncode,
                output=_read(output),
                timed_out=timed_out,
                after_s=after_s,
            )

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for process in running:
            _end(process)

    def _started(
        self, words: list[str], environment: Mapping[str, str], output: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._is_closed:
                raise InterruptedError(0, "the audit is over")
            process = subprocess.Popen(  # noqa: S603  # the user's own command
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            self._running.add(process)
            return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process with its children: politely first."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
    else:
        _signal(process, signal.SIGKILL)  # what it has left behind


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # nothing of it is left


def _read(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _OUTPUT_KEPT))
    return output.read().decode(errors="replace")
