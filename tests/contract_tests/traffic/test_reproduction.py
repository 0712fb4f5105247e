"""A finding of a scenario has the shortest sequence that shows it, which runs as it is printed."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.cases.traffic import rows_of
from contract_tests.server.options import Options
from contract_tests.server.probe import Probe
from contract_tests.server.reports.report import CaseResult, JudgedFinding
from contract_tests.server.session import open_session
from contract_tests.server.traffic.array import Row
from contract_tests.server.traffic.verdicts import play_all
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told, serving
from tests.properties import is_deep

Body = dict[str, Any]
TRUE_MOCK = Mutant(name="the-true-mock", clause="SUB-1")
ROWS = tuple(enumerate(rows_of(3, 1)))


def for_tasks(
    is_meant: Callable[[Body], bool], change: Callable[[Body], Body]
) -> Callable[[], Break]:
    """Change the status of tasks that were submitted with such a body."""

    def make() -> Break:
        meant: dict[str, bool] = {}

        async def broken(asked: Asked, serve: Serve) -> Told:
            told = await serve(asked)
            if asked.is_submit and told.status == 200:
                meant[told.json["data"]["taskId"]] = is_meant(asked.json)
            if asked.is_status and told.status == 200:
                envelope = told.json
                if meant[envelope["data"]["taskId"]]:
                    return told.with_json(envelope | {"data": change(envelope["data"])})
            return told

        return broken

    return make


def with_one_address(data: Body) -> Body:
    if "resultJson" not in data:
        return data
    urls = json.loads(data["resultJson"])["resultUrls"]
    return data | {"resultJson": json.dumps({"resultUrls": urls[:1]})}


def without_time(data: Body) -> Body:
    return {name: value for name, value in data.items() if name != "costTime"}


def is_four_by_value(body: Body) -> bool:
    return body.get("provider") == "value" and body["input"].get("num_images") == 4


def is_official_callback(body: Body) -> bool:
    return body.get("provider") == "official" and body.get("request_type") == "callback"


async def reworded(asked: Asked, serve: Serve) -> Told:
    """Answer some submits with another message, which only the checkers judge."""
    told = await serve(asked)
    if asked.is_submit and told.status == 200 and is_four_by_value(asked.json):
        return told.with_json(told.json | {"message": "accepted"})
    return told


FEWER = Mutant(
    name="one-address-for-four-by-value",
    clause="STA-7",
    make=for_tasks(is_four_by_value, with_one_address),
)
TIMELESS = Mutant(
    name="no-cost-time-of-official-callbacks",
    clause="CB-1",
    make=for_tasks(is_official_callback, without_time),
)
WORDY = Mutant(name="another-message-for-four-by-value", clause="ENV-1", make=lambda: reworded)


@dataclass
class Found:
    finding: JudgedFinding
    result: CaseResult
    url: str

    @property
    def curl(self) -> str:
        assert self.finding.reproduction is not None
        return self.finding.reproduction.curl

    @property
    def test(self) -> str:
        assert self.finding.reproduction is not None
        return self.finding.reproduction.pytest


@pytest.fixture(scope="module", params=[FEWER, TIMELESS, WORDY], ids=lambda mutant: mutant.name)
def found(request: pytest.FixtureRequest) -> Iterator[Found]:
    """Return what scenarios find in a mutant, which is still served."""
    mutant: Mutant = request.param
    with serving(mutant) as url:
        result = played(url, [(number, row) for number, row in ROWS if is_near(row)][:12])
        yield Found(of_clause(result, mutant.clause), result, url)


@pytest.fixture(scope="module")
def true_url() -> Iterator[str]:
    with serving(TRUE_MOCK) as url:
        yield url


def is_near(row: Row) -> bool:
    """Tell whether a scenario may show one of the mutants; the others only take time."""
    is_success = (
        row["references"] in {"none", "good-url", "good-data"}
        and row["prompt"] != "moderated"
        and row["outcome"] != "failed-early"
    )
    is_four = row["route"] == "value" and row["count"] == "4"
    is_callback = row["route"] == "official" and row["receiver"] == "accepts"
    return is_success and (is_four or is_callback)


def played(url: str, rows: list[tuple[int, Row]]) -> CaseResult:
    def run(probe: Probe) -> None:
        play_all(probe, rows)

    case = Case(id="S-TRF-901", title="a test", clauses=(), sends="", expects="", run=run)
    with open_session(Options(base_url=url, seed=1)) as session:
        (ran,) = session.run((case,))
    return ran.result


def of_clause(result: CaseResult, clause: str) -> JudgedFinding:
    return next(
        each for each in result.findings if each.clause == clause and each.verdict is Verdict.FAIL
    )


def run_test(source: str, url: str) -> None:
    """Run the only test of a source against a server."""
    names: dict[str, Any] = {}
    exec(compile(source, "reproduction", "exec"), names)  # The kit wrote it.
    names["BASE_URL"] = url
    (test,) = (each for name, each in names.items() if name.startswith("test_"))
    test()


def test_the_violated_clause_is_found_once(found: Found) -> None:
    same = [each for each in found.result.findings if each.clause == found.finding.clause]

    assert len(same) == 1
    assert found.result.verdict is Verdict.FAIL


def test_only_what_the_bug_needs_is_left(found: Found) -> None:
    submits = [
        line for line in found.curl.splitlines() if "/generateTask/" in line and "# " not in line
    ]

    assert len(submits) == 1
    if found.finding.clause != "CB-1":
        assert '"num_images": 4' in submits[0]
        assert '"provider": "value"' in submits[0]
        assert "callback" not in submits[0]
    else:
        assert '"provider": "official"' in submits[0]
        assert "num_images" not in submits[0]
    assert "aspect_ratio" not in submits[0]
    assert "image_urls" not in submits[0]


def test_the_pytest_test_fails_for_the_broken_server(found: Found) -> None:
    with pytest.raises(AssertionError):
        run_test(found.test, found.url)


def test_the_pytest_test_passes_for_the_true_mock(found: Found, true_url: str) -> None:
    run_test(found.test, true_url)


def test_the_curl_commands_can_be_pasted_into_a_shell(found: Found) -> None:
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", found.curl],
        env={"APIXO_API_KEY": "of-a-shell", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert '"code":200' in ended.stdout


@pytest.mark.deep
@pytest.mark.long
def test_the_scenarios_find_nothing_in_the_true_mock(true_url: str) -> None:
    rows = ROWS if is_deep() else ROWS[::40]

    result = played(true_url, list(rows))

    assert [each for each in result.findings if each.verdict is not Verdict.PASS] == []
    assert len(result.contexts) == len(rows)
