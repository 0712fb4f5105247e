"""What the user declares about a client decides which rules apply to it."""

import json
from typing import Any

import pytest

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit, Trait
from contract_tests.client.reports.cases import judge_situation
from contract_tests.client.rule import RuleFinding, judge
from contract_tests.client.rules import BY_ID
from contract_tests.client.situations import SITUATIONS
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import RESULT_URL, envelope, exchange, numbered, rejected, task

REPORTS = ClientExit(exit_status=1, output="429")
SUCCEEDS = ClientExit(exit_status=0)


def finding_of(
    rule: str, *exchanges: Any, declares: Trait | None = None, **given: Any
) -> RuleFinding:
    usual: dict[str, Any] = {
        "client_exit": REPORTS,
        "tasks": (task(result_urls=(RESULT_URL,)),),
        "declared": frozenset({declares} if declares else ()),
    }
    return judge(BY_ID[rule], Evidence(exchanges=numbered(exchanges), **(usual | given)))


def poll(at_s: float = 1.0, **given: Any) -> Any:
    usual = {"response_body": envelope("success")}
    return exchange(0, at_s, "status", **(usual | given))


HTML_PAGE = poll(injected=frozenset({"wire html-error"}))
DAMAGED = exchange(0, 2, "result", injected=frozenset({"meaning result-truncated"}))


@pytest.mark.parametrize(
    ("rule", "exchanges"),
    [
        ("C-LIM-001", [rejected(0, 0, 429, response_headers=(("Retry-After", "5"),))]),
        ("C-LIM-003", [rejected(0, 0, 429)]),
        ("C-LIM-004", [rejected(0, 0, 429)]),
        ("C-RES-004", [DAMAGED]),
        ("C-ROB-001", [exchange(), HTML_PAGE]),
    ],
)
def test_client_that_reports_instead_of_retrying_is_skipped_if_that_is_declared(
    rule: str, exchanges: list[Any]
) -> None:
    undeclared = finding_of(rule, *exchanges)
    declared = finding_of(rule, *exchanges, declares=Trait.NO_RETRY)

    assert undeclared.verdict is not Verdict.SKIP
    assert declared.verdict is Verdict.SKIP
    assert declared.seen == "not tested: the client does not retry requests (--no-retry)"


def test_client_that_hides_a_broken_response_is_not_excused_by_no_retry() -> None:
    for rule, exchanges in (("C-ROB-001", [HTML_PAGE]), ("C-RES-004", [DAMAGED])):
        finding = finding_of(rule, *exchanges, client_exit=SUCCEEDS, declares=Trait.NO_RETRY)

        assert finding.verdict is Verdict.FAIL


def test_early_retry_is_a_violation_even_if_no_retry_is_declared() -> None:
    throttled = rejected(0, 0, 429, response_headers=(("Retry-After", "5"),))

    finding = finding_of("C-LIM-001", throttled, exchange(0, 1), declares=Trait.NO_RETRY)

    assert finding.verdict is Verdict.FAIL


@pytest.mark.parametrize("rule", ["C-RES-001", "C-RES-002", "C-RES-003", "C-RES-004", "C-RES-005"])
def test_client_that_downloads_nothing_is_skipped_if_that_is_declared(rule: str) -> None:
    declared = finding_of(rule, poll(), client_exit=SUCCEEDS, declares=Trait.NO_DOWNLOAD)

    assert finding_of(rule, poll(), client_exit=SUCCEEDS).verdict is not Verdict.SKIP
    assert declared.verdict is Verdict.SKIP
    assert "--no-download" in declared.seen


def test_address_in_the_output_passes_for_a_client_that_downloads_nothing() -> None:
    printed = ClientExit(exit_status=0, output=RESULT_URL)

    finding = finding_of("C-RES-001", poll(), client_exit=printed, declares=Trait.NO_DOWNLOAD)

    assert finding.verdict is Verdict.PASS


def test_crash_after_a_success_is_not_excused_by_no_download() -> None:
    finding = finding_of("C-RES-001", poll(), declares=Trait.NO_DOWNLOAD)

    assert finding.verdict is Verdict.FAIL
    assert "exited with status 1" in finding.seen


@pytest.mark.parametrize("rule", ["C-FAIL-001", "C-FAIL-003", "C-FAIL-004", "C-REQ-009"])
def test_exit_status_and_wording_of_an_agent_are_not_judged(rule: str) -> None:
    body = json.dumps({"input": {"prompt": "a picture of a fox"}})
    given: dict[str, Any] = {
        "client_exit": SUCCEEDS,
        "prompt": "a fox in the snow",
        "declares": Trait.AGENT,
    }

    finding = finding_of(rule, exchange(body=body), poll(response_body=envelope("failed")), **given)

    assert finding.verdict is Verdict.SKIP
    assert "--agent" in finding.seen


def test_case_is_skipped_with_the_reason_if_all_its_rules_are() -> None:
    (situation,) = (each for each in SITUATIONS if each.id == "A-LIM-003")
    evidence = Evidence(
        exchanges=(rejected(1, 0, 429),),
        client_exit=REPORTS,
        declared=frozenset({Trait.NO_RETRY}),
    )

    case = judge_situation(situation, evidence, frozenset({"C-LIM-003"}))

    assert case.verdict is Verdict.SKIP
    assert case.reason == "not tested: the client does not retry requests (--no-retry)"


def test_rules_about_polling_are_skipped_for_a_callback_client_that_also_polls() -> None:
    body = json.dumps({"request_type": "callback", "callback_url": "http://x", "input": {}})
    exchanges = [exchange(body=body), poll(response_body=envelope("processing"))]

    finding = finding_of("C-POLL-002", *exchanges)

    assert finding.verdict is Verdict.SKIP
    assert finding.hint.endswith("without {callback_port}.")
