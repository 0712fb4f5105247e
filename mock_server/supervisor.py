"""The supervisor of `--workers`: the parent of several processes that serve together.

It serves no requests itself. It starts the workers, passes signals on to them, and replaces a
worker that has ended. It has no event loop, and no thread
but the one that writes the log, which forked processes begin anew. So it can fork at any time.
"""

import json
import logging
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from mock_server.domain.errors import InvalidValue
from mock_server.early_signals import EARLY_SIGNALS

log = logging.getLogger("mock_server")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_QUICK_S = 5.0  # A worker that ends sooner has ended right after its start.
_MAX_QUICK_ENDS = 5
_STOP_S = 15.0  # Workers that have not ended by then are killed.


class WorkersFailed(Exception):
    """The workers cannot serve; the message says why."""


class ParentLink:
    """The connection of a worker to its parent."""

    def __init__(self, reports: int, parent_life: int) -> None:
        self._reports = reports
        self.parent_life = parent_life  # A file descriptor that can be read when the parent ends.

    def report_ready(self, note: str) -> None:
        """Tell the parent that this worker serves; the parent gets the note of the first one."""
        self._report({"ready": note})

    def report_invalid(self, error: InvalidValue) -> None:
        self._report({"path": error.path, "problem": error.problem})

    def _report(self, report: dict[str, str]) -> None:
        os.write(self._reports, json.dumps(report).encode() + b"\n")


class _Worker:
    """What the supervisor knows about a running worker."""

    def __init__(self, slot: int, pid: int, reports: int) -> None:
        self.slot = slot
        self.pid = pid
        self.reports = reports
        self.started_s = time.monotonic()
        self.is_ready = False
        self.received = b""


Serve = Callable[[int, ParentLink], None]
"""Serve as the worker with this number, from 0, until a signal comes or the parent ends."""


class Supervisor:
    """Keeps a number of workers running. `on_ready` is called once, when all of them serve.

    A worker that has ended is replaced at once. If its successor ends right after its start, the
    next one starts after `first_pause_s`, and after that the pause doubles.
    """

    def __init__(
        self,
        number: int,
        serve: Serve,
        on_ready: Callable[[str], None],
        *,
        first_pause_s: float = 0.5,
    ) -> None:
        self._first_pause_s = first_pause_s
        self._number = number
        self._serve = serve
        self._on_ready = on_ready
        self._selector = selectors.DefaultSelector()
        # All three are indexed by the slot of a worker, from 0.
        self._workers: dict[int, _Worker] = {}
        self._quick_ends = [0] * number  # Workers in a row that ended right after their start.
        self._due_s: dict[int, float] = {}  # The time at which the next worker is started.
        self._note: str | None = None  # The note of the first worker that was ready.
        self._has_announced = False
        self._signals: list[signal.Signals] = []
        self._stop_by_s: float | None = None

    def run(self) -> None:
        """Run the workers until SIGINT or SIGTERM.

        Raises InvalidValue if the settings are invalid, WorkersFailed if the workers keep ending.
        """
        self._life, self._life_end = os.pipe()
        with self._noted_signals() as wakeup:
            self._selector.register(wakeup, selectors.EVENT_READ)
            try:
                self._start(0)  # Alone, so that an invalid setting is reported once.
                while self._workers or self._due_s:
                    self._wait(wakeup)
            except BaseException:
                self._end_all()
                raise

    def _wait(self, wakeup: int) -> None:
        """Do what is due after the next event."""
        for key, _ in self._selector.select(self._pause_s()):
            if key.data is None:
                os.read(wakeup, 1024)
            else:
                self._listen_to(key.data)
        while self._signals:
            self._stop(self._signals.pop(0))
        now_s = time.monotonic()
        if self._stop_by_s is not None and now_s >= self._stop_by_s:
            self._kill()
        for slot in [slot for slot, due_s in self._due_s.items() if due_s <= now_s]:
            del self._due_s[slot]
            self._start(slot)

    def _pause_s(self) -> float | None:
        due_s = [*self._due_s.values()]
        if self._stop_by_s is not None:
            due_s.append(self._stop_by_s)
        return max(0.0, min(due_s) - time.monotonic()) if due_s else None

    def _listen_to(self, worker: _Worker) -> None:
        data = os.read(worker.reports, 65_536)
        worker.received += data
        while b"\n" in worker.received:
            line, _, worker.received = worker.received.partition(b"\n")
            report = json.loads(line)
            if "ready" not in report:
                raise InvalidValue(report["path"], report["problem"])
            self._note_ready(worker, report["ready"])
        if not data:
            self._note_end(worker)

    def _note_ready(self, worker: _Worker, note: str) -> None:
        worker.is_ready = True
        if self._note is None:
            self._note = note
            if self._stop_by_s is None:
                for slot in range(1, self._number):
                    self._start(slot)
        serving = sum(each.is_ready for each in self._workers.values())
        if serving == self._number and not self._has_announced:
            self._has_announced = True
            self._on_ready(self._note)

    def _note_end(self, worker: _Worker) -> None:
        """Handle the end of a worker: replace it, unless all workers stop or it ends too often."""
        self._selector.unregister(worker.reports)
        os.close(worker.reports)
        del self._workers[worker.slot]
        how = _description(os.waitpid(worker.pid, 0)[1])
        if self._stop_by_s is not None:
            return
        if self._note is None:
            raise WorkersFailed(f"a worker ended before it was ready ({how}); see the log")
        lived_s = time.monotonic() - worker.started_s
        quick_ends = self._quick_ends[worker.slot] + 1 if lived_s < _QUICK_S else 0
        self._quick_ends[worker.slot] = quick_ends
        if quick_ends >= _MAX_QUICK_ENDS:
            raise WorkersFailed(
                f"a worker has ended {quick_ends} times right after its start, the last time with"
                f" {how}; see the log"
            )
        log.error("worker %d ended with %s; starting another one", worker.pid, how)
        pause_s = self._first_pause_s * 2 ** (quick_ends - 2) if quick_ends > 1 else 0.0
        self._due_s[worker.slot] = time.monotonic() + pause_s

    def _start(self, slot: int) -> None:
        reports, reports_end = os.pipe()
        # The worker must not handle a signal before it has its own handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            os.close(reports)
            self._become_worker(slot, ParentLink(reports_end, self._life))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(reports_end)
        worker = self._workers[slot] = _Worker(slot, pid, reports)
        self._selector.register(reports, selectors.EVENT_READ, worker)

    def _become_worker(self, slot: int, link: ParentLink) -> NoReturn:
        """Serve in the forked process. It ends here, without the clean-up of its parent."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            self._selector.close()
            for worker in self._workers.values():
                os.close(worker.reports)
            os.close(self._life_end)
            EARLY_SIGNALS.handle()
            EARLY_SIGNALS.note_only()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            self._serve(slot, link)
            status = 0
        except InvalidValue as error:
            link.report_invalid(error)
        except BaseException:
            log.exception("a worker failed")
        finally:
            sys.stdout.flush()
            logging.shutdown()
            os._exit(status)

    def _stop(self, number: signal.Signals) -> None:
        """Stop all workers. A second signal makes them cancel what they wait for."""
        is_first = self._stop_by_s is None
        if is_first:
            log.info("stopping on %s", number.name)
            self._stop_by_s = time.monotonic() + _STOP_S
            self._due_s.clear()
        # With Ctrl-C, the workers have got SIGINT as well. A second one would cancel requests.
        self._send(signal.SIGTERM if is_first else signal.SIGINT)

    def _kill(self) -> None:
        log.error("%d workers did not stop within %g s; killing them", len(self._workers), _STOP_S)
        self._stop_by_s = time.monotonic() + _STOP_S
        self._send(signal.SIGKILL)

    def _end_all(self) -> None:
        """End all workers because of an error."""
        self._send(signal.SIGTERM)
        by_s = time.monotonic() + _STOP_S
        for worker in self._workers.values():
            while os.waitpid(worker.pid, os.WNOHANG)[0] == 0:
                if time.monotonic() >= by_s:
                    os.kill(worker.pid, signal.SIGKILL)
                time.sleep(0.01)

    def _send(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, number)  # The pid cannot be reused before `waitpid`.

    @contextmanager
    def _noted_signals(self) -> Iterator[int]:
        """Note signals, and yield a file descriptor that can be read when one has come."""
        wakeup, wakeup_end = os.pipe()
        os.set_blocking(wakeup_end, False)
        signal.set_wakeup_fd(wakeup_end)
        for number in _SIGNALS:
            signal.signal(number, self._note_signal)
        yield wakeup

    def _note_signal(self, number: int, _: FrameType | None) -> None:
        self._signals.append(signal.Signals(number))


def _description(status: int) -> str:
    """Return how a process has ended, given what `waitpid` says."""
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit status {os.WEXITSTATUS(status)}"
