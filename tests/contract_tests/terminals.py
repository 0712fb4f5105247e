"""Runs a command on a pseudo-terminal, as a user does."""

import fcntl
import os
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.contract_tests.commands import COMMAND, ROOT, environment
from tests.patience import PATIENCE_S

CTRL_C = b"\x03"
ENTER = b"\r"
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_REDRAW = re.compile(r"\x1b\[\??[0-9;]*[A-HJKfhl]")


class TerminalCommand:
    """A command that runs on a terminal, and all that the terminal has received."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self.raw = ""

    @property
    def text(self) -> str:
        """What was printed, without control sequences."""
        return _CONTROL.sub("", self.raw).replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """The printed lines, without those that were redrawn."""
        return [line.rpartition("\r")[2] for line in self.text.split("\n")]

    @property
    def redraws(self) -> list[str]:
        """The control sequences that move the cursor or erase text."""
        return _REDRAW.findall(self.raw)

    def type(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self._terminal, keys)

    def read_until(self, expected: str) -> str:
        """Return the text once it contains `expected`."""
        until_s = time.monotonic() + PATIENCE_S
        while expected not in self.text:
            assert time.monotonic() < until_s, f"no {expected!r}:\n{self.text}"
            assert self._read(), f"the command ended without {expected!r}:\n{self.text}"
        return self.text

    def wait(self) -> int:
        """Return the exit status once the command has ended."""
        while self._read():
            pass
        return self._process.wait(PATIENCE_S)

    def _read(self) -> bool:
        """Read what the terminal has received; return False at its end."""
        ready, _, _ = select.select([self._terminal], [], [], PATIENCE_S)
        assert ready, f"nothing was printed for {PATIENCE_S:g} s:\n{self.text}"
        try:
            content = os.read(self._terminal, 65536)
        except OSError:  # Linux reports the end of a pseudo-terminal as an error.
            return False
        self.raw += content.decode()
        return bool(content)


@contextmanager
def on_terminal(
    *words: str | Path, columns: int = 80, env: Mapping[str, str] | None = None
) -> Iterator[TerminalCommand]:
    """Start the command `contract-tests` on a terminal of this width."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    plain = {name: text for name, text in environment().items() if name not in _COLOUR_SWITCHES}
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=plain | {"TERM": "xterm-256color"} | dict(env or {}),
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # for Ctrl-C
    )
    os.close(theirs)
    try:
        yield TerminalCommand(process, ours)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        os.close(ours)


_COLOUR_SWITCHES = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "COLORTERM"}
