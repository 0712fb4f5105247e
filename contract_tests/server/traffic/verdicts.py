"""Plays scenarios one after another, and keeps one finding per clause, with a reproduction."""

from collections.abc import Iterable, Sequence
from itertools import count

import msgspec

from contract_tests.contract.verdicts import Finding, Reproduction
from contract_tests.server.checkers import check_trace
from contract_tests.server.contexts import Context
from contract_tests.server.probe import Probe
from contract_tests.server.traffic.array import Row
from contract_tests.server.traffic.player import Failure, Player
from contract_tests.server.traffic.reproduction import reproduction_of
from contract_tests.server.traffic.scenarios import Scenario, scenario_of
from contract_tests.server.traffic.shrinking import MOST_TRIES, shrink
from contract_tests.server.traffic.together import scenario_together, values_of

_MOST_SHRUNK = 3  # Findings per case: each one costs up to MOST_TRIES scenarios.
_SLOW_TRIES = 25  # A missing callback is noticed only after a second of real time.


class _Played(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that was played, and its first and last events."""

    scenario: Scenario
    begin: int
    end: int


class Findings:
    """The findings of a case that plays scenarios. Call `note` when all were played."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._names = count(1)
        self._held: dict[str, Finding] = {}
        self._failed: dict[str, Finding] = {}
        self._played: list[_Played] = []
        self._shrunk = 0

    @property
    def has_failed(self) -> bool:
        return bool(self._failed)

    def player(self, scenario: Scenario) -> Player:
        """Return a player in fresh sandboxes."""
        return Player(self._probe, scenario.setup, prefix=f"{next(self._names)}-")

    def play(self, scenario: Scenario) -> tuple[str, ...]:
        """Play a scenario, shrink what it found, and return the clauses that were judged."""
        begin = len(self._probe.events)
        player = self.player(scenario)
        try:
            player.play(scenario.steps)
        finally:
            self.add(player, scenario, begin=begin)
        return tuple(sorted({*player.held, *player.failures}))

    def add(self, player: Player, scenario: Scenario, *, begin: int) -> None:
        """Keep the findings of a player that has played these steps."""
        self._held.update(player.held)
        self._played.append(_Played(scenario=scenario, begin=begin, end=len(self._probe.events)))
        for clause, failure in player.failures.items():
            if clause not in self._failed:
                cut = msgspec.structs.replace(scenario, steps=scenario.steps[: failure.step + 1])
                self._failed[clause] = failure.finding
                self._failed[clause] = self._shortest(clause, failure.finding, cut, begin, failure)

    def note(self) -> None:
        """Record one finding per clause on the probe, and reproduce what the checkers found."""
        for finding in check_trace(self._probe.events, self._probe.target):
            clause, number = finding.clause, finding.event or 0
            shown = [each for each in self._played if each.begin <= number < each.end]
            if clause not in self._failed and shown:
                scenario, begin = shown[0].scenario, shown[0].begin
                self._failed[clause] = self._shortest(clause, finding, scenario, begin, None)
        held = [each for clause, each in self._held.items() if clause not in self._failed]
        self._probe.findings += [*self._failed.values(), *held]

    def _shortest(
        self,
        clause: str,
        finding: Finding,
        scenario: Scenario,
        begin: int,
        failure: Failure | None,
    ) -> Finding:
        """Return the finding of the shortest scenario that shows it, with its reproduction.

        Without control every try takes real time, so the scenario is not shrunk. A server that
        violates many clauses gets reproductions for the first ones only.
        """
        if self._shrunk == _MOST_SHRUNK:
            return finding
        self._shrunk += 1
        last = _Attempt(finding=finding, failure=failure, begin=begin, scenario=scenario)

        def still_fails(simpler: Scenario) -> bool:
            nonlocal last
            found = self._attempt(clause, simpler)
            last = found or last
            return found is not None

        if self._probe.target.has_control:
            is_slow = failure is not None and failure.claim.is_slow
            tries = _SLOW_TRIES if is_slow else MOST_TRIES
            shrink(scenario, still_fails, tries=tries)
        return msgspec.structs.replace(last.finding, reproduction=self._reproduction(last))

    def _attempt(self, clause: str, scenario: Scenario) -> "_Attempt | None":
        """Play a scenario again; return what it found about a clause, if that is violated."""
        begin = len(self._probe.events)
        player = self.player(scenario)
        player.play(scenario.steps)
        failure = player.failures.get(clause)
        events = self._probe.events[begin:]
        if failure is not None:
            return _Attempt(
                finding=failure.finding, failure=failure, begin=begin, scenario=scenario
            )
        for finding in check_trace(events, self._probe.target):
            if finding.clause == clause:
                number = begin + (finding.event or 0)
                moved = msgspec.structs.replace(finding, event=number)
                return _Attempt(finding=moved, failure=None, begin=begin, scenario=scenario)
        return None

    def _reproduction(self, last: "_Attempt") -> Reproduction:
        end = (last.finding.event or 0) + 1
        python = None if last.failure is None else last.failure.claim.python
        return reproduction_of(
            self._probe.events[last.begin : end],
            clause=last.finding.clause,
            expected=last.finding.expected,
            seen=last.finding.seen,
            python=python,
            scenario=last.scenario,
            base_url=self._probe.target.base_url,
        )


class _Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A violation, and the first event of the scenario that showed it."""

    finding: Finding
    failure: Failure | None
    begin: int
    scenario: Scenario


def play_together(probe: Probe, rows: Sequence[Row]) -> None:
    """Play one scenario with the tasks of all rows; record findings and contexts."""
    scenario = scenario_together(rows, has_other_key=probe.target.has_other_key)
    findings = Findings(probe)
    try:
        clauses = findings.play(scenario)
        probe.contexts += [Context(values=values_of(row), clauses=clauses) for row in rows]
    finally:
        findings.note()


def play_all(probe: Probe, rows: Iterable[tuple[int, Row]]) -> None:
    """Play the scenarios of numbered rows; record one finding per clause, and the contexts."""
    findings = Findings(probe)
    try:
        for number, row in rows:
            clauses = findings.play(scenario_of(row, number))
            probe.contexts.append(Context(values=row, clauses=clauses))
    finally:
        findings.note()
