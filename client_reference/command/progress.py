"""Progress on standard error: log lines, or one line that is redrawn on a terminal."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from client_reference.command.messages import escape, print_note
from client_reference.polling import Polling
from client_reference.task import Task

_REDRAWS_A_SECOND = 8


class Progress(Protocol):
    """Shows the progress of one task or of a batch."""

    def submitted(self, task: Task) -> None:
        """Show that a task was accepted."""

    def changed(self, task: Task) -> None:
        """Show the new state of a task."""

    def ended(self, *, is_success: bool) -> None:
        """Count a prompt that has ended."""

    def paused(self) -> AbstractContextManager[None]:
        """Make room, inside the block, for other output."""


class LineProgress:
    """Prints a line for each submitted task; without a batch also one for each new state."""

    def __init__(self, *, is_batch: bool) -> None:
        self._is_batch = is_batch

    def submitted(self, task: Task) -> None:
        _print_submitted(task)

    def changed(self, task: Task) -> None:
        if not self._is_batch and task.state != "failed":  # A failure is reported as an error.
            print_note(f"{escape(task.id)}: {escape(task.state)}")

    def ended(self, *, is_success: bool) -> None:
        """Show nothing: the results themselves are lines."""

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


@contextmanager
def live_progress(prompts: int | None) -> Iterator["TaskProgress | BatchProgress"]:
    """Show a live line inside the block, for one task or for a batch with this many prompts."""
    progress = TaskProgress() if prompts is None else BatchProgress(prompts)
    progress.live.start()
    try:
        yield progress
    finally:
        progress.live.stop()


class _LiveLine(ABC):
    """A line on a terminal that is redrawn several times a second."""

    def __init__(self) -> None:
        self._spinner = Spinner("dots")
        self._began_s = time.monotonic()
        self.live = Live(
            self,
            console=Console(stderr=True),
            transient=True,
            refresh_per_second=_REDRAWS_A_SECOND,
        )

    def __rich__(self) -> Text:
        """Return plain text, so that rich does not interpret text of the service as markup."""
        spinner = self._spinner.render(time.monotonic())
        assert isinstance(spinner, Text), "a spinner without a caption is text"
        line = Text(no_wrap=True, overflow="ellipsis")
        return line.append_text(spinner).append(f" {self.caption()}")

    @abstractmethod
    def caption(self) -> str:
        """Return the text behind the spinner."""

    def elapsed(self) -> str:
        return _minutes(time.monotonic() - self._began_s)

    @contextmanager
    def paused(self) -> Iterator[None]:
        is_shown = self.live.is_started
        self.live.stop()
        try:
            yield
        finally:
            if is_shown:
                self.live.start()


class TaskProgress(_LiveLine):
    """State, elapsed and usual time of one task."""

    def __init__(self) -> None:
        super().__init__()
        self._state = "connecting"
        self._usual = _minutes(Polling().usual_s)

    def caption(self) -> str:
        return f"{self._state} · {self.elapsed()} · usually about {self._usual}"

    def submitted(self, task: Task) -> None:
        with self.paused():
            _print_submitted(task)  # The id stays on the screen after the live line ends.
        self.changed(task)

    def changed(self, task: Task) -> None:
        self._state = escape(task.state)

    def ended(self, *, is_success: bool) -> None:
        """Show nothing: the live line ends now."""


class BatchProgress(_LiveLine):
    """The number of prompts of a batch that were submitted and that have ended."""

    def __init__(self, prompts: int) -> None:
        super().__init__()
        self._prompts = prompts
        self._submitted = 0
        self._ended = 0
        self._errors = 0

    def caption(self) -> str:
        return (
            f"{self._ended} of {self._prompts} ended, {self._errors} in error"
            f" · {self._submitted} submitted · {self.elapsed()}"
        )

    def submitted(self, task: Task) -> None:
        self._submitted += 1

    def changed(self, task: Task) -> None:
        """Show nothing: a batch has too many states."""

    def ended(self, *, is_success: bool) -> None:
        self._ended += 1
        self._errors += not is_success


def _print_submitted(task: Task) -> None:
    print_note(f"submitted {escape(task.id)}")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
