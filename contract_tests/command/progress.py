"""Shows which cases run, and each result as soon as it is known."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import Final

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from contract_tests.command.terminal import VERDICT_STYLES, Entry, Terminal
from contract_tests.contract.verdicts import Verdict

_REDRAWS_A_SECOND: Final = 8
_STEP: Final = 10  # Results for each line about the progress where no line can be redrawn.


def estimate_s(
    durations_s: Iterable[float], running_s: Iterable[float], waiting: int, workers: int
) -> float | None:
    """Return the expected time until all cases have ended, or None before the first result.

    `durations_s` are those of the cases that have ended, `running_s` the ages of those that run.
    """
    known_s = list(durations_s)
    if not known_s:
        return None
    mean_s = sum(known_s) / len(known_s)
    rest_s = [max(0.0, mean_s - age_s) for age_s in running_s]
    return max((waiting * mean_s + sum(rest_s)) / workers, max(rest_s, default=0.0))


def minutes(seconds: float) -> str:
    """Return a duration such as "1:05"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def counts(verdicts: Mapping[str, int]) -> str:
    """Return "3 PASS, 1 FAIL" without the verdicts that did not occur."""
    return ", ".join(f"{number} {name}" for name, number in verdicts.items() if number)


class Progress:
    """The cases that run and those that have ended. Any thread may report a case that starts."""

    def __init__(
        self, total: int, workers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.verdicts: Counter[Verdict] = Counter()
        self._workers = workers
        self._clock = clock
        self._began_s = clock()
        self._starts_s: dict[str, float] = {}
        self._durations_s: list[float] = []
        self._lock = Lock()

    @property
    def ended(self) -> int:
        return self.verdicts.total()

    def start(self, case_id: str) -> None:
        with self._lock:
            self._starts_s[case_id] = self._clock()

    def end(self, case_id: str, verdict: Verdict) -> None:
        with self._lock:
            started_s = self._starts_s.pop(case_id, None)
            if started_s is not None and verdict is not Verdict.SKIP:
                self._durations_s.append(self._clock() - started_s)
            self.verdicts[verdict] += 1

    def running(self) -> list[tuple[str, float]]:
        """Return the cases that run with their ages in seconds, the oldest first."""
        with self._lock:
            now_s = self._clock()
            return [(each, now_s - started_s) for each, started_s in self._starts_s.items()]

    def counted(self) -> str:
        return counts({each: self.verdicts[each] for each in Verdict})

    def times(self) -> str:
        """Return the elapsed time, and the expected rest once a case has ended."""
        running = self.running()
        waiting = max(0, self.total - self.ended - len(running))
        ages_s = [age_s for _, age_s in running]
        rest_s = estimate_s(list(self._durations_s), ages_s, waiting, self._workers)
        elapsed = minutes(self._clock() - self._began_s)
        return elapsed if rest_s is None else f"{elapsed} · about {minutes(rest_s)} left"


class ProgressDisplay:
    """Lines that are redrawn on a terminal; elsewhere a line after every ten cases."""

    def __init__(self, terminal: Terminal, progress: Progress, *, is_verbose: bool) -> None:
        self._terminal = terminal
        self._progress = progress
        self._is_verbose = is_verbose
        self._spinner = Spinner("dots" if terminal.console.encoding.startswith("utf") else "line")
        self._is_stopping = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the progress inside the block."""
        with self._live():
            try:
                yield
            except KeyboardInterrupt:
                self._is_stopping = True
                raise

    def start(self, case_id: str) -> None:
        """Show that a case has started; any thread may call this."""
        self._progress.start(case_id)

    def end(self, case_id: str, verdict: Verdict, result: Entry) -> None:
        """Count a result; print it, unless it is as it should be and `is_verbose` is off."""
        self._progress.end(case_id, verdict)
        if self._is_verbose or verdict not in {Verdict.PASS, Verdict.SKIP}:
            self._terminal.print([result])
        ended, total = self._progress.ended, self._progress.total
        if not self._terminal.can_redraw and ended % _STEP == 0 and ended < total:
            line = f"{ended} of {total} cases: {self._progress.counted()}"
            self._terminal.print([Entry("", line, style="dim")])

    def __rich__(self) -> Text:
        progress = self._progress
        width = self._terminal.console.width
        spinner = self._spinner.render(time.monotonic())
        assert isinstance(spinner, Text), "a spinner without a caption is text"
        time_text = "stopping" if self._is_stopping else progress.times()
        caption = f"{progress.ended} of {progress.total} cases · {time_text}"
        running = ", ".join(f"{each} {minutes(age_s)}" for each, age_s in progress.running())
        lines = [
            Text(" ").join([spinner, Text(caption, "bold")]),
            Text(f"  {progress.counted() or 'no result yet'}"),
            Text(f"  running: {running or 'none'}", "dim"),
        ]
        for line in lines:
            line.truncate(width - 1, overflow="ellipsis")
        return Text("\n").join(lines)

    def _live(self) -> AbstractContextManager[object]:
        if not self._terminal.can_redraw:
            return nullcontext()
        return Live(
            self,
            console=self._terminal.console,
            transient=True,
            refresh_per_second=_REDRAWS_A_SECOND,
            redirect_stderr=False,
            redirect_stdout=False,
        )


def verdict_entry(verdict: Verdict, case_id: str, title: str) -> Entry:
    """Return the first line of a case."""
    return Entry(f"{verdict:12} {case_id}  ", title, VERDICT_STYLES[verdict])
