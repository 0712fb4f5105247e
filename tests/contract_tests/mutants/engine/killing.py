"""Runs the kit against a mutant until a finding names its clause."""

from collections import Counter
from collections.abc import Iterator
from unittest.mock import patch

import msgspec

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.options import Options
from contract_tests.server.reports.report import CaseResult
from contract_tests.server.session import Session, open_session
from contract_tests.server.traffic import verdicts
from tests.contract_tests.mutants.engine.alterations import EngineMutant
from tests.contract_tests.mutants.engine.rows import scenario_cases
from tests.contract_tests.mutants.harness import serving

_SEED = 1
_FIRST = 8  # So many cases run first: those that have killed most mutants so far.
_SHOWN_ELSEWHERE = frozenset({"error", "picture"})  # better by cases of their own
_REJECTED = frozenset({"error", "invalid"})
_COMBINED = ("S-SUB-103", "S-SUB-104")  # properties that combine an invalid member with others
_BLAMING = frozenset({Verdict.FAIL, Verdict.WARN})
_TRAFFIC = ("S-TRF-", "S-STA-2")


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run against a mutant; `case` is empty if it survives.

    `others` are the clauses of findings that do not name the clause of the mutant.
    """

    mutant: str
    clause: str
    is_foreign: bool
    case: str = ""
    others: tuple[str, ...] = ()


class Killers:
    """Remembers which cases kill, so that these run first for the next mutant."""

    def __init__(self) -> None:
        self._kills: Counter[str] = Counter()

    def kill(
        self, mutant: EngineMutant, *, is_foreign: bool = False, cases: tuple[Case, ...] = ()
    ) -> Kill:
        """Run these cases, or the suite `full`, until a finding names the clause."""
        options = Options(base_url="", seed=_SEED)
        others: set[str] = set()
        # Shortest scenarios are for people; here only the clause counts.
        with (
            serving(mutant, is_foreign=is_foreign) as url,
            patch.object(verdicts, "_MOST_SHRUNK", 0),
        ):
            batches = [cases] if cases else self._batches(mutant, is_foreign=is_foreign)
            for batch in batches:
                of_here = msgspec.structs.replace(options, base_url=url)
                with open_session(of_here) as ready:
                    found = _first_killer(ready, batch, mutant, others)
                if found:
                    self._kills[found] += 1
                    break
        return Kill(
            mutant=mutant.name,
            clause=mutant.clause,
            is_foreign=is_foreign,
            case=found,
            others=tuple(sorted(others)),
        )

    def _batches(self, mutant: EngineMutant, *, is_foreign: bool) -> Iterator[tuple[Case, ...]]:
        cases = sorted(select_cases(all_cases()), key=lambda case: self._rank(case, mutant))
        if is_foreign:
            # In real time the cases wait side by side, so many start at once.
            calm = [case for case in cases if not case.exhausts]
            yield tuple(case for case in calm if _is_related(case, mutant))
            yield tuple(case for case in calm if not _is_related(case, mutant))
            yield tuple(case for case in cases if case.exhausts)
            return
        if not mutant.alteration.when & _SHOWN_ELSEWHERE:
            for scenarios in scenario_cases(mutant, _SEED):
                yield (scenarios,)
        likely = [case for case in cases if _is_related(case, mutant)]
        yield tuple(likely[:_FIRST])
        yield tuple(likely[_FIRST:])
        yield tuple(case for case in cases if case not in likely)

    def _rank(self, case: Case, mutant: EngineMutant) -> tuple[int, ...]:
        """Rank a case lower if it has killed often, is about the clause and is quick."""
        is_combined = mutant.context.about == "task" and mutant.alteration.when <= _REJECTED
        return (
            not (is_combined and case.id in _COMBINED),
            case.exhausts,
            -self._kills[case.id],
            not mutant.clauses & set(case.clauses),
            int(case.id[-3:]) > 100,
        )


def _is_related(case: Case, mutant: EngineMutant) -> bool:
    return case.id.startswith(_TRAFFIC) or bool(mutant.clauses & set(case.clauses))


def _first_killer(
    ready: Session, cases: tuple[Case, ...], mutant: EngineMutant, others: set[str]
) -> str:
    runs = ready.run(cases)
    try:
        for ran in runs:
            failed = _failed(ran.result)
            if failed & mutant.clauses:
                return ran.result.id
            others.update(failed)
    finally:
        runs.close()
    return ""


def _failed(result: CaseResult) -> set[str]:
    """Return the clauses of the findings that blame the server.

    Where pages disagree, a server without control gets a warning, not a failure. A warning names
    the clause as well, and a server that keeps the contract gets none.
    """
    return {each.clause for each in result.findings if each.verdict in _BLAMING}
