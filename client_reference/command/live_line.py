"""Progress on a terminal: one line that ticks, and is gone at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from client_reference.command.text import shown
from client_reference.polling import Polling
from client_reference.task import Task

_A_SECOND = 8  # redraws


@contextmanager
def shown_line(prompts: int | None) -> Iterator["TaskLine | BatchLine"]:
    line = TaskLine() if prompts is None else BatchLine(prompts)
    line.live.start()
    try:
        yield line
    finally:
        line.live.stop()


class LiveLine:
    """A Progress. What it shows is put together anew at each tick, as plain text, not as markup."""

    def __init__(self) -> None:
        self._spinner = Spinner("dots")
        self._began_s = time.monotonic()
        self.live = Live(
            self,
            console=Console(stderr=True),
            transient=True,
            refresh_per_second=_A_SECOND,
        )

    def __rich__(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        return line.append_text(self._turning()).append(f" {self.words()}")

    def words(self) -> str:
        raise NotImplementedError

    def elapsed(self) -> str:
        return _minutes(time.monotonic() - self._began_s)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the line away for as long as something else is written to the same screen."""
        is_there = self.live.is_started
        self.live.stop()
        try:
            yield
        finally:
            if is_there:
                self.live.start()

    def _turning(self) -> Text:
        turning = self._spinner.render(time.monotonic())
        assert isinstance(turning, Text), "a spinner without words is text"
        return turning


class TaskLine(LiveLine):
    """State, elapsed and usual time of one task."""

    def __init__(self) -> None:
        super().__init__()
        self._state = "asking the service"
        self._usual = _minutes(Polling().usual_s)

    def words(self) -> str:
        return f"{self._state} · {self.elapsed()} · usually about {self._usual}"

    def submitted(self, task: Task) -> None:
        """Leave the id on the screen, whatever becomes of the line."""
        with self.aside():
            click.echo(f"submitted {shown(task.id)}", err=True)
        self.changed(task)

    def changed(self, task: Task) -> None:
        self._state = shown(task.state)

    def ended(self, *, is_success: bool) -> None:
        """Show the end by going away."""


class BatchLine(LiveLine):
    """How far many prompts have come."""

    def __init__(self, prompts: int) -> None:
        super().__init__()
        self._prompts = prompts
        self._submitted = 0
        self._ended = 0
        self._in_error = 0

    def words(self) -> str:
        return (
            f"{self._ended} of {self._prompts} ended, {self._in_error} in error"
            f" · {self._submitted} submitted · {self.elapsed()}"
        )

    def submitted(self, task: Task) -> None:
        self._submitted += 1

    def changed(self, task: Task) -> None:
        """Show nothing: there are too many."""

    def ended(self, *, is_success: bool) -> None:
        self._ended += 1
        self._in_error += not is_success


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
