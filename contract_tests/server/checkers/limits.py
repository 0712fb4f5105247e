"""LIM-1 to LIM-5: both limits of each key, judged by a model of all its requests.

The model needs the instants of the service's clock and the configured limits, so it judges a mock
with a manual clock only.
"""

from collections.abc import Iterator
from typing import Final

from contract_tests.server.checkers.lives import Life
from contract_tests.server.checkers.operations import PROVIDER_OPERATIONS, Operation
from contract_tests.server.checkers.rate import RateWindow
from contract_tests.server.checkers.retry_after import check_header
from contract_tests.server.checkers.shown import shown
from contract_tests.server.checkers.trace import Control, Exchange, Flood, Sandbox, Step, Trace
from contract_tests.server.checkers.violation import Violation

_API: Final = "/api/"


def check_limits(trace: Trace) -> Iterator[Violation]:
    """Judge which requests of each key got 429, and which did not."""
    for sandbox in trace.sandboxes:
        if not sandbox.is_plain:
            continue
        if trace.has_control and sandbox.starts_empty:
            yield from _Model(sandbox).violations()
        else:
            yield from _headers(sandbox)


def _headers(sandbox: Sandbox) -> Iterator[Violation]:
    """Judge only the form of Retry-After, because the limits or the instants are unknown."""
    for step in sandbox.steps:
        if isinstance(step, Exchange) and step.status == 429:
            yield from check_header(step, is_required=False)


class _Model:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._window = RateWindow()
        self._lives: list[Life] = []
        self._unknown_tasks = 0
        self._rejected_ms = -(10**18)
        """The last instant at which a request was rejected and so must not count."""
        self._counted_errors_ms = -(10**18)
        self._operations: dict[Operation, int] = {}

    def violations(self) -> Iterator[Violation]:
        for step in self._sandbox.steps:
            if isinstance(step, Control):
                continue
            if step.at is None or not step.at.is_exact:
                return  # From here on, the instants are unknown.
            if type(step.settings.get("rate_limit")) is not int:
                return
            now_ms = step.at.low_ms
            self._window.move_to(now_ms)
            if isinstance(step, Flood):
                yield from self._flood(step, now_ms)
            elif isinstance(step, Exchange):
                yield from self._exchange(step, now_ms)

    # The rate

    def _exchange(self, step: Exchange, now_ms: int) -> Iterator[Violation]:
        if not step.request.path.startswith(_API) or step.status == 401:
            return
        limit = step.settings["rate_limit"]
        if step.status == 429:
            yield from self._rejected(step, limit, now_ms)
            self._rejected_ms = now_ms
            return
        if step.operation is Operation.SUBMIT and step.status == 200:
            yield from self._accepted(step)
        is_certain = step.operation in PROVIDER_OPERATIONS and step.status > 0
        if self._window.certain >= limit and is_certain:
            yield from self._too_many(step, limit, now_ms)
        self._window.add(now_ms, is_certain=is_certain)
        self._operations[step.operation] = now_ms
        if step.status >= 400:
            self._counted_errors_ms = now_ms

    def _too_many(self, step: Exchange, limit: int, now_ms: int) -> Iterator[Violation]:
        expected = f"HTTP 429: {self._window.certain} of {limit} requests in the last 60 s"
        clauses = ["LIM-1"]
        others = [at_ms for each, at_ms in self._operations.items() if each is not step.operation]
        if any(now_ms - at_ms < 60_000 for at_ms in others):
            clauses.append("LIM-3")  # All paths count together.
        if now_ms - self._counted_errors_ms < 60_000:
            clauses.append("LIM-4")  # Rejected requests count, too.
        for clause in clauses:
            yield _violation(clause, "too-many", expected, step)

    def _rejected(self, step: Exchange, limit: int, now_ms: int) -> Iterator[Violation]:
        is_configured = step.settings.get("retry_after") is not False
        wait_ms = None
        if self._window.possible >= limit:
            if self._window.certain >= limit:
                wait_ms = self._window.wait_ms(limit, now_ms)
        elif step.operation is Operation.SUBMIT:
            yield from self._rejected_submit(step)
        else:
            counted = f"{self._window.possible} of {limit} requests in the last 60 s"
            expected = f"no HTTP 429: {counted}"
            yield _violation("LIM-3", "too-few", expected, step)
            if now_ms - self._rejected_ms < 60_000:
                yield _violation("LIM-4", "too-few", expected, step)
            if step.operation is Operation.STATUS and self._most_live(step) >= self._most(step):
                expected = "status requests work when the limit of tasks is reached"
                yield _violation("LIM-2", "status", expected, step)
        yield from check_header(step, is_required=is_configured, is_sent=is_configured,
                                wait_ms=wait_ms)  # fmt: skip

    def _flood(self, step: Flood, now_ms: int) -> Iterator[Violation]:
        limit = step.settings["rate_limit"]
        for status, count in step.event.statuses:
            if status in {401, 429}:
                is_submit = step.operation is Operation.SUBMIT
                if status == 429 and self._window.possible < limit and not is_submit:
                    yield self._of_flood(step, "LIM-3", "no HTTP 429 before the limit")
                continue
            self._window.add(now_ms, count)
            if self._window.certain > limit:
                expected = f"HTTP 429 after {limit} requests in 60 s"
                yield self._of_flood(step, "LIM-1", expected)
            if step.operation is Operation.SUBMIT and status == 200:
                self._unknown_tasks += count
        sent = sum(count for _, count in step.event.statuses)
        if sent < step.event.count:
            self._window.add(now_ms, step.event.count - sent, is_certain=False)

    def _of_flood(self, step: Flood, clause: str, expected: str) -> Violation:
        runs = ", ".join(f"{count} times {status}" for status, count in step.event.statuses)
        return Violation(
            clause=clause,
            kind="burst",
            expected=expected,
            seen=f"{step.event.request.method} {step.event.request.path}: {runs}",
            event=step.number,
        )

    # Tasks in progress

    def _accepted(self, step: Exchange) -> Iterator[Violation]:
        live = sum(life.has_ended_by(step) is False for life in self._lives)
        if live >= self._most(step):
            expected = f"HTTP 429: {live} of {self._most(step)} tasks are in progress"
            yield _violation("LIM-2", "too-many", expected, step)
        if step.task is not None and step.task.submit is step:
            self._lives.append(Life(step.task))
        else:
            self._unknown_tasks += 1

    def _rejected_submit(self, step: Exchange) -> Iterator[Violation]:
        live = self._most_live(step)
        if live < self._most(step):
            expected = f"no HTTP 429: at most {live} of {self._most(step)} tasks are in progress"
            yield _violation("LIM-2", "too-few", expected, step)

    def _most_live(self, step: Step) -> int:
        return self._unknown_tasks + sum(
            life.has_ended_by(step) is not True for life in self._lives
        )

    def _most(self, step: Step) -> int:
        limit = step.settings.get("max_concurrent")
        return limit if type(limit) is int else 10**18


def _violation(clause: str, kind: str, expected: str, step: Exchange) -> Violation:
    return Violation(
        clause=clause, kind=kind, expected=expected, seen=shown(step), event=step.number
    )
