"""The command `client-reference` as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from time import monotonic

from tests.patience import PATIENCE_S

COMMAND = Path(sys.executable).with_name("client-reference")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a call has left behind."""

    status: int
    output: str
    errors: str

    @property
    def error(self) -> str:
        """The one line of standard error."""
        (line,) = self.errors.splitlines()
        return line


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this environment with these variables, and with none that changes the command."""
    ours = ("APIXO", "PYTHON")  # PYTHONUNBUFFERED and its kin change how streams fail
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"NO_PROXY": "*"} | dict(variables)


def run(*arguments: str, **variables: str) -> Ended:
    """Run the command to its end, which must be near."""
    ended = subprocess.run(
        [COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(variables),
        timeout=PATIENCE_S,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


class Running:
    """A command under way, whose standard error, or terminal, is read bit by bit."""

    def __init__(self, process: subprocess.Popen[bytes], errors: int) -> None:
        self.process = process
        self._errors = errors
        self._read = b""

    def read_until(self, word: str, times: int = 1) -> str:
        """Return what has come once the word is in it so often."""
        until_s = monotonic() + PATIENCE_S
        while self._read.count(word.encode()) < times:
            assert self._read_more(until_s), f"{word!r} did not come, but {self._read!r}"
        return self._read.decode()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> Ended:
        """Wait for the end, which must be near."""
        until_s = monotonic() + PATIENCE_S
        while self._read_more(until_s):
            pass
        output = self.process.stdout.read() if self.process.stdout else b""
        return Ended(self.process.wait(PATIENCE_S), output.decode(), self._read.decode())

    def _read_more(self, until_s: float) -> bool:
        """Say whether there was more to read, for which there is time until then."""
        ready, _, _ = select([self._errors], [], [], max(0.0, until_s - monotonic()))
        assert ready, f"nothing more came after {self._read!r}"
        try:
            part = os.read(self._errors, 65536)
        except OSError:  # a terminal that nobody has open any more
            return False
        self._read += part
        return bool(part)


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[Running]:
    with _started(arguments, variables, subprocess.PIPE) as process:
        assert process.stderr is not None
        yield Running(process, process.stderr.fileno())


@contextmanager
def on_terminal(*arguments: str, output_too: bool, **variables: str) -> Iterator[Running]:
    """Start the command with standard error, and perhaps standard output, on a terminal."""
    screen, terminal = os.openpty()
    shown = {"TERM": "xterm", "COLUMNS": "120", "LINES": "30"}
    try:
        output = terminal if output_too else subprocess.PIPE
        with _started(arguments, shown | variables, terminal, output) as process:
            os.close(terminal)
            yield Running(process, screen)
    finally:
        os.close(screen)


@contextmanager
def _started(
    arguments: tuple[str, ...],
    variables: Mapping[str, str],
    errors: int,
    output: int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=errors,
        env=environment(variables),
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
