"""Runs the kit against a legal variation and returns what it does not accept."""

from collections.abc import Collection, Iterator

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.options import Options
from contract_tests.server.reports.report import CaseResult
from contract_tests.server.session import open_session
from tests.contract_tests.mutants.harness import serving
from tests.contract_tests.mutants.legal.choices import CHOICES
from tests.contract_tests.mutants.legal.ids import IDS
from tests.contract_tests.mutants.legal.texts import TEXTS
from tests.contract_tests.mutants.legal.variation import Variation
from tests.contract_tests.mutants.legal.wire import WIRE

VARIATIONS: tuple[Variation, ...] = (*IDS, *TEXTS, *WIRE, *CHOICES)
_SEED = 1
_BAD = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.WARN})


def related(variation: Variation) -> tuple[Case, ...]:
    return select_cases(all_cases(), select=variation.cases)


def complaints(
    variation: Variation, cases: tuple[Case, ...], *, is_foreign: bool = False
) -> tuple[str, ...]:
    """Return what the kit finds wrong with a variation, one line for each finding."""
    with (
        serving(variation, is_foreign=is_foreign) as url,
        open_session(Options(base_url=url, seed=_SEED)) as ready,
    ):
        return tuple(
            line for ran in ready.run(cases) for line in _complaints(ran.result, variation.may_warn)
        )


def _complaints(result: CaseResult, may_warn: Collection[str]) -> Iterator[str]:
    found = [each for each in result.findings if each.verdict in _BAD]
    for each in found:
        if each.verdict is Verdict.WARN and each.clause in may_warn:
            continue
        yield (f"{result.id} {each.clause} {each.verdict}: expected {each.expected[:200]},"
               f" saw {each.seen[:300]}")  # fmt: skip
    if not found and result.verdict in _BAD:
        yield f"{result.id} {result.verdict}: {result.reason}"
