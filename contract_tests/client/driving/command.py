"""The client under test as a command: its arguments, its process and its exit."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from threading import Lock
from typing import IO, Final

from contract_tests.client.driving.output import CapturedOutput
from contract_tests.client.records import ClientExit
from contract_tests.contract.errors import ClientCommandError

_GRACE_PERIOD_S: Final = 2.0
_NOT_FOUND: Final = 127
_CHECK_EVERY_S: Final = 0.2
PLACEHOLDERS: Final = (
    "base_url", "api_key", "prompt", "num_images", "out_dir", "image_url", "callback_port",
)  # fmt: skip
# "{{name}}" is "{name}" itself. "${name}" and "%{name}" belong to shells and to curl.
_PLACEHOLDER: Final = re.compile(r"\{\{(?P<literal>\w+)\}\}|(?<![$%{])\{(?P<name>[A-Za-z_]\w*)\}")


class ClientCommand:
    """A command line with placeholders such as `{prompt}`; `{{prompt}}` is the literal text.

    Braces that do not enclose one name stay as they are.
    """

    def __init__(self, line: str) -> None:
        """Split the line as a shell would. Raise ClientCommandError if it cannot be run."""
        try:
            self._words = shlex.split(line)
        except ValueError as error:
            raise ClientCommandError(f"--exec: invalid command line: {error}") from error
        if not self._words:
            raise ClientCommandError("--exec: is empty; give the command that runs your client")
        for word in self._words:
            _reject_unknown(word)
        program = self._words[0]
        if "{" not in program and shutil.which(program) is None:
            is_file = "/" in program and os.path.isfile(program)  # noqa: PTH113  # as which does
            problem = "file is not executable" if is_file else "command not found"
            raise ClientCommandError(f'--exec: {problem}: "{program}"')

    @property
    def takes_callbacks(self) -> bool:
        """Whether the command has a placeholder for the port of a callback receiver."""
        return self._has("callback_port")

    @property
    def takes_out_dir(self) -> bool:
        """Whether the command has a placeholder for the directory of its files."""
        return self._has("out_dir")

    @property
    def takes_num_images(self) -> bool:
        """Whether the command has a placeholder for the number of images."""
        return self._has("num_images")

    def words(self, values: Mapping[str, str]) -> list[str]:
        """Return the words of the command with these values for the placeholders."""
        return [_fill(word, values) for word in self._words]

    def _has(self, placeholder: str) -> bool:
        found = (each for word in self._words for each in _PLACEHOLDER.finditer(word))
        return any(each["name"] == placeholder for each in found)


def _fill(word: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        literal, name = found["literal"], found["name"]
        return f"{{{literal}}}" if literal else values[name]

    return _PLACEHOLDER.sub(value, word)


def _reject_unknown(word: str) -> None:
    """Raise ClientCommandError if the word has a placeholder that does not exist."""
    for found in _PLACEHOLDER.finditer(word):
        name = found["name"]
        if name and name not in PLACEHOLDERS:
            near = get_close_matches(name, PLACEHOLDERS, n=1)
            hint = f"did you mean {{{near[0]}}}? The " if near else "the "
            known = " ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise ClientCommandError(
                f"--exec: unknown placeholder {{{name}}}; {hint}known ones are {known}."
                f" Write {{{{{name}}}}} for the literal text {{{name}}}"
            )


class ClientProcesses:
    """Runs clients from several threads, and stops all of them when closed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def run(
        self,
        words: list[str],
        environment: Mapping[str, str],
        timeout_s: float,
        is_due: Callable[[], bool] | None = None,
    ) -> ClientExit:
        """Run a client until it exits; after `timeout_s`, stop it and its child processes.

        Stop it also as soon as `is_due` returns true, which is called several times a second.
        """
        with tempfile.TemporaryFile() as output:
            captured = CapturedOutput(output)
            began_s = time.monotonic()
            try:
                process = self._start(words, environment, output)
            except OSError as error:
                return ClientExit(exit_status=_NOT_FOUND, output=f"{words[0]}: {error.strerror}")
            timed_out = _wait(process, timeout_s, is_due, captured.limit)
            after_s = time.monotonic() - began_s
            _stop(process)
            with self._lock:
                self._running.discard(process)
            return ClientExit(
                exit_status=process.returncode,
                output=captured.end(),
                timed_out=timed_out,
                after_s=after_s,
            )

    def close(self) -> None:
        """Stop all running clients and prevent further ones."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for process in running:
            _stop(process)

    def _start(
        self, words: list[str], environment: Mapping[str, str], output: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._is_closed:
                raise InterruptedError(0, "the audit has ended")
            process = subprocess.Popen(  # noqa: S603  # The user asked to run this command.
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            self._running.add(process)
            return process


def _wait(
    process: "subprocess.Popen[bytes]",
    timeout_s: float,
    is_due: Callable[[], bool] | None,
    on_check: Callable[[], None],
) -> bool:
    """Wait until the process exits, or is due to be stopped; return whether the time was over."""
    until_s = time.monotonic() + timeout_s
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            process.wait(min(left_s, _CHECK_EVERY_S))
        except subprocess.TimeoutExpired:
            on_check()
            if is_due is not None and is_due():
                return False
        else:
            return False
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a process and its children: SIGTERM first, SIGKILL after a grace period."""
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_PERIOD_S)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()
    else:
        # Children may have ignored SIGTERM, so the rest of the group is killed.
        _signal_group(process, signal.SIGKILL)


def _signal_group(process: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # The whole group has already exited.
