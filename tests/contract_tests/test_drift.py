"""Two runs are compared clause by clause: what a server does otherwise is seen, noise is not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.provider import STATUS
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.drift import drifts, uncompared_cases
from contract_tests.server.events import HttpExchange, Response, build_request
from contract_tests.server.reports.behaviour import behaviour_of, shape
from contract_tests.server.reports.report import CaseResult
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.fakes import a_case, find, judged, report_of
from tests.contract_tests.mutants.harness import Mutant, serving, status_data
from tests.properties import is_deep

SOME = ("S-STA-0*", "S-SUB-0*") if is_deep() else ("S-STA-00*", "S-SUB-00*")
SELECT = tuple(word for glob in SOME for word in ("--select", glob))
WITH_STRINGS_FOR_TIMES = Mutant(
    name="times as texts",
    clause="STA-9",
    make=status_data(lambda data: data | {"createTime": str(data["createTime"])}),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run some cases against the true mock, with two seeds, and against a broken one."""
    root = tmp_path_factory.mktemp("runs")
    for name, seed in (("may", "1"), ("june", "2")):
        keep = ("--report", root / name, "--record", root / f"{name}-tape")
        assert contract_tests("run", *SELECT, "--seed", seed, *keep).returncode == 0
    with serving(WITH_STRINGS_FOR_TIMES) as url:
        keep = ("--report", root / "broken", "--record", root / "broken-tape")
        assert contract_tests("run", "--base-url", url, *SELECT, *keep).returncode == 1
    return root


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.parametrize(
    ("a", "b"), [("may", "may"), ("may", "may-tape"), ("may-tape", "june"), ("june-tape", "may")]
)
def test_two_runs_of_one_server_do_not_differ(runs: Path, a: str, b: str) -> None:
    ended = contract_tests("diff", runs / a, runs / b, is_watched=True)

    assert (ended.returncode, ended.stdout) == (0, "0 clauses differ\n")


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.parametrize(("a", "b"), [("may", "broken"), ("june-tape", "broken-tape")])
def test_a_server_that_has_changed_differs_in_the_clause(runs: Path, a: str, b: str) -> None:
    ended = contract_tests("diff", runs / a, runs / b, is_watched=True)
    lines = ended.stdout.splitlines()

    assert ended.returncode == 1
    assert WITH_STRINGS_FOR_TIMES.clause in lines
    assert any("createTime: str" in line for line in lines)


def test_runs_of_which_no_case_is_in_both_tell_nothing(runs: Path, tmp_path: Path) -> None:
    contract_tests("run", "--select", "S-AUTH-*", "--report", tmp_path)
    ended = contract_tests("diff", runs / "may", tmp_path, is_watched=True)

    assert ended.returncode == 3
    assert "no case was tested in both" in ended.stderr


@pytest.mark.parametrize("content", [None, "", "{}", '{"version": 1}'])
def test_a_folder_without_a_run_is_wrong_usage(
    runs: Path, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    ended = contract_tests("diff", runs / "may", tmp_path, is_watched=True)

    assert ended.returncode == 2
    assert "report.json" in ended.stderr


def test_a_clause_that_fails_now_differs() -> None:
    old, new = passed(), msgspec.structs.replace(failed(), id=passed().id)

    (drift,) = drifts(report_of(old), report_of(new))

    assert drift.clause == "SUB-1"
    assert drift.lines == ("S-SUB-901: PASS (that it is True) -> FAIL (that it is False)",)


def test_another_behaviour_differs_although_the_verdict_is_the_same() -> None:
    old = with_behaviour("GET /x -> 200 application/json {a: int}")
    new = with_behaviour("GET /x -> 200 application/json {a: str}")

    (drift,) = drifts(report_of(old), report_of(new))

    assert drift.lines == (
        "S-SUB-901: no longer: GET /x -> 200 application/json {a: int}",
        "S-SUB-901: now: GET /x -> 200 application/json {a: str}",
    )


@pytest.mark.parametrize("verdict", [Verdict.SKIP, Verdict.ERROR, Verdict.INCONCLUSIVE])
def test_a_case_that_one_run_did_not_test_is_listed_as_not_compared(
    verdict: Verdict,
) -> None:
    other = msgspec.structs.replace(failed(), id="S-SUB-901", verdict=verdict)
    old, new = report_of(passed()), report_of(other)

    assert drifts(old, new) == ()
    assert uncompared_cases(old, new) == ("S-SUB-901",)


@given(st.integers(0), st.integers(0), st.text(), st.text())
def test_ids_instants_and_texts_leave_no_trace(
    old_ms: int, new_ms: int, old: str, new: str
) -> None:
    assert behaviour_of([status(old_ms, old)]) == behaviour_of([status(new_ms, new)])


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_any_answer_has_a_shape(value: Any) -> None:
    assert shape(value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"state": "success"}, {"state": "failed"}),
        ({"code": 200}, {"code": 201}),
        ({"failCode": "A"}, {"failCode": "B"}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": None}, {}),
        ({"a": [1]}, {"a": []}),
        ({"a": {"b": 1}}, {"a": {"c": 1}}),
        (True, 1),
    ],
)
def test_what_a_client_could_stumble_over_has_another_shape(old: Any, new: Any) -> None:
    assert shape(old) != shape(new)


def status(at_ms: int, text: str) -> HttpExchange:
    body = {"code": 200, "message": text, "data": {"taskId": text, "createTime": at_ms}}
    return HttpExchange(
        request=build_request("GET", STATUS, query={"taskId": text}),
        response=Response(
            status=200,
            headers=(("Content-Type", "application/json"), ("Date", text)),
            body=msgspec.json.encode(body),
        ),
    )


def passed() -> CaseResult:
    return judged(a_case(find(holds=True))).result


def failed() -> CaseResult:
    return judged(a_case(find(holds=False))).result


def with_behaviour(*lines: str) -> CaseResult:
    return msgspec.structs.replace(passed(), behaviour=lines)
