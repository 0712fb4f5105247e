"""Shows how far an exploration is: two lines on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Final

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from contract_tests.client.exploring.exploration import Explorer
from contract_tests.command.progress import minutes
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.text import count

_REDRAWS_A_SECOND: Final = 8
_STEP: Final = 25  # Scenarios for each line where no line can be redrawn.


class ExploreDisplay:
    """The number of scenarios and failures, and the time. Any thread may report a start."""

    def __init__(self, terminal: Terminal, budget_s: float) -> None:
        self._terminal = terminal
        self._budget_s = budget_s
        self._began_s = time.monotonic()
        self._lock = Lock()
        self._running = 0
        self._explorer: Explorer | None = None
        self._is_stopping = False
        self._spinner = Spinner("dots" if terminal.console.encoding.startswith("utf") else "line")

    def start(self) -> None:
        with self._lock:
            self._running += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1

    def update(self) -> None:
        """Print a line after every 25 scenarios, unless the display is redrawn anyway."""
        explorer = self._explorer
        if explorer and not self._terminal.can_redraw and explorer.tried % _STEP == 0:
            self._terminal.print([Entry("", self._caption(), style="dim")])

    @contextmanager
    def shown(self, explorer: Explorer) -> Iterator[None]:
        """Show the progress inside the block."""
        self._explorer = explorer
        live = Live(
            self,
            console=self._terminal.console,
            transient=True,
            refresh_per_second=_REDRAWS_A_SECOND,
            redirect_stderr=False,
            redirect_stdout=False,
        )
        with live if self._terminal.can_redraw else nullcontext():
            try:
                yield
            except KeyboardInterrupt:
                self._is_stopping = True
                raise

    def __rich__(self) -> Text:
        spinner = self._spinner.render(time.monotonic())
        assert isinstance(spinner, Text), "a spinner without a caption is text"
        lines = [
            Text(" ").join([spinner, Text(self._caption(), "bold")]),
            Text(f"  {self._activity()}", "dim"),
        ]
        for line in lines:
            line.truncate(self._terminal.console.width - 1, overflow="ellipsis")
        return Text("\n").join(lines)

    def _caption(self) -> str:
        explorer = self._explorer
        tried = count(explorer.tried if explorer else 0, "scenario")
        failures = count(len(explorer.failures) if explorer else 0, "failure")
        elapsed_s = min(time.monotonic() - self._began_s, self._budget_s)
        return f"{tried}, {failures} · {minutes(elapsed_s)} of {minutes(self._budget_s)}"

    def _activity(self) -> str:
        if self._is_stopping:
            return "stopping"
        shrinking = self._explorer.shrinking if self._explorer else ""
        doing = f"shortening a failure of {shrinking} · " if shrinking else ""
        return f"{doing}running: {count(self._running, 'client')}"
