"""Explores a client: runs scenario after scenario, and shrinks those that violate an invariant."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import Final, Protocol

import msgspec

from contract_tests.client.exploring.coverage import Coverage
from contract_tests.client.exploring.invariants import IDS, Violation, violations_of
from contract_tests.client.exploring.outcome import Outcome
from contract_tests.client.exploring.scenario import Event, Scenario
from contract_tests.client.exploring.shrinking import shrink

MAX_FAILURES: Final = 10
_MAX_PER_INVARIANT: Final = 3


class TimeIsOver(Exception):
    """The time for exploring is over, so a scenario was not run."""


class Runner(Protocol):
    """Runs scenarios, each in a sandbox of its own. `width` of them run in parallel."""

    @property
    def width(self) -> int: ...

    def start(self, scenario: Scenario, *, is_urgent: bool = False) -> "Future[Outcome]":
        """Run a scenario; the future raises TimeIsOver if there is no time for it.

        An urgent one does not wait for those that were started before and do not run yet.
        """


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that violates an invariant, shrunk. `found_in` is the one that was generated.

    `tries` is the number of scenarios that shrinking ran. It is not complete if the time was over,
    or if the failure did not occur a second time.
    """

    violation: Violation
    outcome: Outcome
    found_in: Scenario
    tries: int
    is_shortest: bool
    is_repeatable: bool = True


class Explorer:
    """Runs generated scenarios with a runner and collects failures.

    `judged` are the ids of the invariants to judge. Results are taken in the order in which the
    scenarios were generated, so that the same seed finds the same failures.
    """

    def __init__(self, runner: Runner, judged: Collection[str] = IDS) -> None:
        self._runner = runner
        self._judged = frozenset(judged)
        self.tried = 0
        self.shrinking = ""  # The invariant of the failure that is being shortened.
        self.coverage = Coverage()
        self.failures: list[Failure] = []
        self.repeats: Counter[str] = Counter()
        self._violated: dict[Scenario, frozenset[str]] = {}

    def explore(
        self, scenarios: Iterable[Scenario], on_result: Callable[[], object] = lambda: None
    ) -> Iterator[Failure]:
        """Yield each new failure; return when the scenarios or the time are over.

        A failure whose shortest scenario is part of a later one explains that one too.
        """
        for outcome in self._outcomes(iter(scenarios)):
            self.tried += 1
            self.coverage.add(outcome)
            violations = self._violations(outcome)
            self._violated[outcome.scenario] = frozenset(each.invariant for each in violations)
            for violation in violations:
                if self._is_known(violation, outcome):
                    self.repeats[violation.invariant] += 1
                elif (failure := self._failure(violation, outcome)) is not None:
                    self.failures.append(failure)
                    yield failure
            on_result()
            if len(self.failures) >= MAX_FAILURES:
                return

    def _outcomes(self, scenarios: Iterator[Scenario]) -> Iterator[Outcome]:
        window: deque[Future[Outcome]] = deque()
        width = self._runner.width
        ahead = width * 2 if width > 1 else 1  # The first to be awaited may be the last to end.
        try:
            while True:
                for scenario in islice(scenarios, ahead - len(window)):
                    window.append(self._runner.start(scenario))
                if not window:
                    return
                yield window.popleft().result()
        except TimeIsOver:
            return
        finally:
            for future in window:
                future.cancel()

    def _run_all(self, scenarios: Iterable[Scenario]) -> Iterator[Outcome]:
        futures = [self._runner.start(scenario, is_urgent=True) for scenario in scenarios]
        try:
            for future in futures:
                yield future.result()
        except TimeIsOver:
            return

    def _violations(self, outcome: Outcome) -> list[Violation]:
        return [each for each in violations_of(outcome) if each.invariant in self._judged]

    def _is_known(self, violation: Violation, outcome: Outcome) -> bool:
        same = [each for each in self.failures if each.violation.invariant == violation.invariant]
        if len(same) >= _MAX_PER_INVARIANT:
            return True
        return any(_explains(each.outcome.scenario, outcome) for each in same)

    def _failure(self, violation: Violation, outcome: Outcome) -> Failure | None:
        """Return the failure, shrunk; after Ctrl-C keep it as it was found."""
        self.shrinking = violation.invariant
        try:
            return self._shrunk(violation, outcome)
        except KeyboardInterrupt:
            self.failures.append(
                Failure(
                    violation=violation,
                    outcome=outcome,
                    found_in=outcome.scenario,
                    tries=0,
                    is_shortest=False,
                )
            )
            raise
        finally:
            self.shrinking = ""

    def _shrunk(self, violation: Violation, outcome: Outcome) -> Failure | None:
        """Return the failure with its shortest scenario, or None if that is known already."""

        def is_same_failure(other: Outcome) -> bool:
            return any(each.invariant == violation.invariant for each in self._violations(other))

        passing = [
            scenario
            for scenario, violated in self._violated.items()
            if violation.invariant not in violated
        ]
        shrunk = shrink(
            outcome, is_same_failure, self._run_all, width=self._runner.width, passing=passing
        )
        is_repeatable, tries = True, shrunk.tries
        if shrunk.outcome is outcome and shrunk.is_complete:
            again = next(self._run_all([outcome.scenario]), None)
            is_repeatable = again is None or is_same_failure(again)
            tries += 1
        shortest = shrunk.outcome
        for known in self.failures:
            is_same = known.violation.invariant == violation.invariant
            if is_same and known.outcome.scenario == shortest.scenario:
                self.repeats[violation.invariant] += 1
                return None
        return Failure(
            violation=next(
                each for each in self._violations(shortest) if each.invariant == violation.invariant
            ),
            outcome=shortest,
            found_in=outcome.scenario,
            tries=tries,
            is_shortest=shrunk.is_complete,
            is_repeatable=is_repeatable,
        )


def _explains(shortest: Scenario, outcome: Outcome) -> bool:
    """Tell whether events like those of a shortest scenario are among those that happened.

    Events are alike if a client should treat them alike: two lost responses are the same bug.
    """
    events = outcome.scenario.events
    happened = Counter(_likeness(events[place]) for place in outcome.applied)
    needed = Counter(map(_likeness, shortest.events))
    return needed <= happened and shortest.pictures <= outcome.scenario.pictures


def _likeness(event: Event) -> tuple[str, str]:
    return event.kind.operation, event.kind.severity
