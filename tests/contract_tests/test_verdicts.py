"""What a case found is judged once, and the worst of it counts."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.errors import ExpectedFailuresError
from contract_tests.contract.register import Clause
from contract_tests.contract.verdicts import Finding, Verdict, worst
from contract_tests.contract.verdicts import verdict_of as verdict_of_finding
from contract_tests.server.case import Case
from contract_tests.server.events import Response
from contract_tests.server.expected_failures import load_expected_failures
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet, TargetFailure
from contract_tests.server.probe import Probe
from contract_tests.server.reports.report import clause_results, summary_of
from tests.contract_tests.fakes import REGISTER, FakeWorld, a_case, find, judged, report_of, runner

holding, failing = find(holds=True), find(holds=False)
verdicts = st.lists(st.sampled_from(Verdict))


@given(verdicts)
def test_the_worst_does_not_depend_on_the_order(some: list[Verdict]) -> None:
    assert worst(some) == worst(reversed(some)) == worst(sorted(some))


@given(verdicts)
def test_one_failure_outweighs_all_else(some: list[Verdict]) -> None:
    assert worst([*some, Verdict.FAIL]) is Verdict.FAIL


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Verdict.SKIP, Verdict.PASS),
        (Verdict.PASS, Verdict.WARN),
        (Verdict.WARN, Verdict.INCONCLUSIVE),
        (Verdict.INCONCLUSIVE, Verdict.ERROR),
        (Verdict.ERROR, Verdict.FAIL),
    ],
)
def test_what_is_worse_counts(better: Verdict, worse: Verdict) -> None:
    assert worst([better, worse]) is worse


def test_a_case_that_looked_at_nothing_has_not_passed() -> None:
    result = judged(a_case(lambda _: None)).result

    assert result.verdict is Verdict.INCONCLUSIVE
    assert "SUB-1" in result.reason


def test_a_case_that_left_out_one_of_its_clauses_has_not_passed() -> None:
    result = judged(a_case(holding, clauses=("SUB-1", "STA-5"))).result

    assert result.verdict is Verdict.INCONCLUSIVE
    assert "STA-5" in result.reason
    assert "SUB-1" not in result.reason


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (PreconditionNotMet("no callback came"), Verdict.INCONCLUSIVE),
        (TargetFailure("the service is down"), Verdict.ERROR),
        (CaseSkipped("there is no second account"), Verdict.SKIP),
        (KeyError("data"), Verdict.ERROR),
        (RecursionError(), Verdict.ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
class TestACaseThatBreaksOff:
    def test_has_not_passed_whatever_held_before(self, end: Exception, verdict: Verdict) -> None:
        result = judged(a_case(ending(end, holds=True))).result

        assert result.verdict is verdict
        assert str(end) in result.reason

    def test_has_failed_when_something_was_broken_before(
        self, end: Exception, verdict: Verdict
    ) -> None:
        assert judged(a_case(ending(end, holds=False))).result.verdict is Verdict.FAIL


def test_one_case_that_crashes_does_not_take_the_others_with_it() -> None:
    cases = [a_case(ending(ZeroDivisionError()), case_id="S-SUB-901"), a_case(case_id="S-SUB-902")]

    verdicts = {ran.result.id: ran.result.verdict for ran in runner().run(cases, workers=2)}

    assert verdicts == {"S-SUB-901": Verdict.ERROR, "S-SUB-902": Verdict.PASS}


def test_a_case_that_ends_in_the_middle_of_an_answer_is_an_error() -> None:
    lost = FakeWorld(lambda _: Response(status=0, error="ReadTimeout: nobody answered"))

    result = judged(a_case(), lost).result

    assert result.verdict is Verdict.ERROR
    assert "ReadTimeout" in result.reason


def test_who_stops_asking_for_results_stops_the_run() -> None:
    world = FakeWorld()
    cases = [a_case(case_id=f"S-SUB-{number}") for number in range(2_000)]

    with closing(runner(world).run(cases, workers=1)) as running:
        next(running)

    assert len(world.asked) < len(cases)


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        ([], 0),
        ([holding], 0),
        ([failing], 1),
        ([lambda _: None], 3),
        ([holding, lambda _: None, failing], 1),
    ],
    ids=["nothing", "pass", "fail", "inconclusive", "fail and inconclusive"],
)
def test_the_exit_status_tells_the_worst(
    runs: Sequence[Callable[[Probe], None]], status: int
) -> None:
    results = [judged(a_case(run)).result for run in runs]

    assert report_of(*results).summary.exit_status == status


def test_a_warning_and_a_skip_do_not_change_the_exit_status() -> None:
    warned = judged(a_case(find(holds=False, clause="SUB-8"), clauses=("SUB-8",)), is_live=True)
    skipped = judged(a_case(), skips=lambda _: "not today")

    assert [warned.result.verdict, skipped.result.verdict] == [Verdict.WARN, Verdict.SKIP]
    assert report_of(warned.result, skipped.result).summary.exit_status == 0


class TestAnExpectedFailure:
    expected: ClassVar = {"S-SUB-901": "the service is slow to mend it"}

    def test_does_not_count(self) -> None:
        result = judged(a_case(failing), expected_failures=self.expected).result

        assert result.verdict is Verdict.FAIL
        assert result.expected_failure == "the service is slow to mend it"
        assert report_of(result).summary.exit_status == 0

    def test_that_passes_fails_and_says_so(self) -> None:
        result = judged(a_case(holding), expected_failures=self.expected).result

        assert result.verdict is Verdict.FAIL
        assert "expected to fail (the service is slow to mend it), but passed" in result.reason
        assert report_of(result).summary.exit_status == 1

    def test_that_could_not_be_judged_is_as_any_other(self) -> None:
        result = judged(a_case(lambda _: None), expected_failures=self.expected).result

        assert report_of(result).summary.exit_status == 3

    def test_does_not_excuse_another_case(self) -> None:
        case = a_case(failing, case_id="S-SUB-902")

        result = judged(case, expected_failures=self.expected).result

        assert report_of(result).summary.exit_status == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('"S-SUB-901" = ""', "must be a non-empty text"),
        ('"S-SUB-901" = "  "', "must be a non-empty text"),
        ('"S-SUB-901" = true', "must be a non-empty text"),
        ('"S-SUB-999" = "why"', 'unknown case id "S-SUB-999"'),
        ('"S-SUB-901" = "a"\n"S-SUB-901" = "b"', "twice|overwrite|[Cc]annot"),
        ("[section]", 'unknown case id "section"'),
        ("= no toml", "expected"),
        ("\udcff", "utf-8"),
        ('"S-SUB-901" = ' + "9" * 10_000, "4300 digits"),
        ('"S-SUB-901" = 0x' + "F" * 10_000, "got a very long integer"),
        ('"S-SUB-901" = ' + "[" * 10_000, "is nested too deeply"),
        ("a" * 10_000 + " = 1", f'unknown case id "{"a" * 60}"'),
    ],
    ids=lambda value: value[:40],
)
def test_a_file_of_expected_failures_says_what_is_wrong_in_it(
    tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / "expected.toml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(ExpectedFailuresError, match=problem):
        load_expected_failures(path, {"S-SUB-901"})


def test_a_file_of_expected_failures_gives_a_reason_a_case(tmp_path: Path) -> None:
    path = tmp_path / "expected.toml"
    path.write_text('# known since May\n"S-SUB-901" = "is slow"\n', "utf-8")

    assert load_expected_failures(path, {"S-SUB-901"}) == {"S-SUB-901": "is slow"}


class TestAClause:
    def test_is_as_bad_as_the_worst_that_was_found_of_it(self) -> None:
        assert verdict_of("SUB-1", a_case(holding), a_case(failing)) is Verdict.FAIL

    def test_does_not_suffer_from_the_other_clauses_of_its_case(self) -> None:
        def run(probe: Probe) -> None:
            probe.check("SUB-1", holds=True, expected="", seen="")
            probe.check("STA-5", holds=False, expected="", seen="")

        assert verdict_of("SUB-1", a_case(run, clauses=("SUB-1", "STA-5"))) is Verdict.PASS

    def test_that_no_case_came_to_is_not_judged(self) -> None:
        assert verdict_of("SUB-1", a_case(lambda _: None)) is Verdict.INCONCLUSIVE

    def test_of_which_no_case_was_chosen_is_skipped(self) -> None:
        assert verdict_of("STA-5", a_case(holding)) is Verdict.SKIP

    def test_that_cannot_be_tested_says_why(self) -> None:
        untestable = next(clause for clause in REGISTER if not clause.testable)
        results = {each.id: each for each in clause_results((), REGISTER)}

        assert results[untestable.id].reason == untestable.why_not


def test_the_summary_counts_the_clauses_that_something_was_found_of() -> None:
    results = [
        judged(a_case(holding)).result,
        judged(a_case(find(holds=False, clause="STA-4"), clauses=("STA-4",))).result,
        judged(a_case(lambda _: None, clauses=("STA-6",))).result,
        judged(a_case(clauses=("STA-7",)), skips=lambda _: "not today").result,
    ]

    summary = summary_of(results, clause_results(results, REGISTER), REGISTER)

    assert summary.clauses_exercised == 2
    assert summary.clauses_testable == sum(clause.testable for clause in REGISTER)
    assert summary.cases == {
        "PASS": 1, "FAIL": 1, "INCONCLUSIVE": 1, "SKIP": 1, "WARN": 0, "ERROR": 0,
    }  # fmt: skip


def verdict_of(clause: str, *cases: Case) -> Verdict:
    results = [judged(case).result for case in cases]
    return next(each.verdict for each in clause_results(results, REGISTER) if each.id == clause)


def ending(end: Exception, *, holds: bool | None = None) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        if holds is not None:
            probe.check("SUB-1", holds, expected="that it holds", seen="what was seen")
        raise end

    return run


@given(
    st.sampled_from([each for each in REGISTER if each.certainty in {"conflict", "choice"}]),
    st.booleans(),
)
def test_a_clause_on_which_pages_disagree_or_are_silent_fails_only_for_the_mock(
    clause: Clause,
    is_live: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    finding = Finding(clause=clause.id, holds=False, expected="this", seen="that")

    other = verdict_of_finding(finding, clause, is_live=is_live, has_control=False)
    mock = verdict_of_finding(finding, clause, is_live=False, has_control=True)

    assert (other, mock) == (Verdict.WARN, Verdict.FAIL)


@given(
    st.sampled_from([each for each in REGISTER if each.certainty in {"seed", "docs"}]),
    st.booleans(),
)
def test_an_expectation_that_is_a_choice_fails_only_for_the_mock(
    clause: Clause,
    is_live: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    finding = Finding(clause=clause.id, holds=False, expected="", seen="", is_choice=True)

    other = verdict_of_finding(finding, clause, is_live=is_live, has_control=False)
    mock = verdict_of_finding(finding, clause, is_live=False, has_control=True)

    assert (other, mock) == (Verdict.WARN, Verdict.FAIL)
