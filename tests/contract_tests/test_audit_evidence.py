"""The audit concludes from a journal no more than the journal shows."""

import json

import msgspec
import pytest
from hypothesis import given

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit
from contract_tests.client.rule import Level, Rule, judge, judge_all
from contract_tests.client.rules import BY_ID, RULES
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import (
    RESULT_URL,
    case_by_all_rules,
    envelope,
    exchange,
    numbered,
    sends_nothing,
    task,
)
from tests.contract_tests.evidence_strategies import evidence

ABOUT_ANY_REQUEST = {"C-REQ-001", "C-REQ-007", "C-KEY-001", "C-KEY-002", "C-OUT-002"}
ABOUT_ANY_SUBMIT = ABOUT_ANY_REQUEST | {
    "C-REQ-002", "C-REQ-003", "C-REQ-004", "C-REQ-005", "C-PAY-003", "C-RES-006", "C-FAIL-003",
    "C-FAIL-006",
}  # fmt: skip


def untested(rule: Rule) -> Verdict:
    """Return the verdict of a rule whose event did not occur."""
    return Verdict.SKIP if rule.is_conditional else Verdict.INCONCLUSIVE


every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@every_rule
def test_empty_journal_passes_no_rule(rule: Rule) -> None:
    finding = judge(rule, sends_nothing())

    assert finding.verdict is untested(rule)
    assert rule.event in finding.seen


@every_rule
def test_rule_about_the_exit_is_skipped_if_the_exit_is_unknown(rule: Rule) -> None:
    expected = Verdict.SKIP if rule.needs_exit else untested(rule)

    assert judge(rule, Evidence()).verdict is expected


@every_rule
def test_balance_request_alone_passes_only_rules_about_any_request(rule: Rule) -> None:
    evidence = Evidence(
        exchanges=(exchange(operation="balance"),),
        client_exit=ClientExit(exit_status=0, files=()),
    )

    expected = Verdict.PASS if rule.id in ABOUT_ANY_REQUEST else untested(rule)

    assert judge(rule, evidence).verdict is expected


@every_rule
def test_submit_alone_passes_only_rules_about_submits(rule: Rule) -> None:
    evidence = Evidence(
        exchanges=(exchange(),),
        tasks=(task("pending"),),
        client_exit=ClientExit(exit_status=1, files=()),
    )

    expected = Verdict.PASS if rule.id in ABOUT_ANY_SUBMIT else untested(rule)

    assert judge(rule, evidence).verdict is expected


def test_callback_answered_after_31_s_is_too_late() -> None:
    late = exchange(operation="callback", duration_ms=31_000.0)

    finding = judge(BY_ID["C-CB-001"], Evidence(exchanges=(late,), tasks=(task(),)))

    assert finding.verdict is Verdict.FAIL


def test_two_tasks_with_different_input_are_no_repeated_purchase() -> None:
    ratios = {"task_1": "1:1", "task_2": "3:2"}
    submits = [
        exchange(task_id=task_id, body=json.dumps({"input": {"aspect_ratio": ratio}}))
        for task_id, ratio in ratios.items()
    ]
    callbacks = [
        exchange(operation="callback", task_id=task_id, body=envelope("success", task_id))
        for task_id in (*ratios, *ratios)
    ]
    downloads = [exchange(operation="result", task_id=task_id) for task_id in ratios]
    tasks = tuple(task("success", task_id) for task_id in ratios)
    steps = [*submits, *callbacks, *downloads]
    rule = BY_ID["C-CB-002"]

    once = judge(rule, Evidence(exchanges=numbered(steps), tasks=tasks))
    repeated = judge(rule, Evidence(exchanges=numbered([*steps, submits[0]]), tasks=tasks))

    assert once.verdict is Verdict.PASS
    assert repeated.verdict is Verdict.FAIL


@pytest.mark.parametrize(("exit_status", "verdict"), [(0, Verdict.PASS), (1, Verdict.FAIL)])
def test_result_address_in_the_output_counts_only_if_the_client_succeeds(
    exit_status: int, verdict: Verdict
) -> None:
    output = f"{{'resultUrls': ['{RESULT_URL}']}}"
    evidence = Evidence(
        exchanges=(exchange(operation="status", response_body=envelope("success")),),
        tasks=(task(result_urls=(RESULT_URL,)),),
        client_exit=ClientExit(exit_status=exit_status, output=output),
    )

    assert judge(BY_ID["C-RES-001"], evidence).verdict is verdict


@pytest.mark.parametrize(("exit_status", "verdict"), [(0, Verdict.PASS), (1, Verdict.WARN)])
def test_crash_that_prints_a_callback_has_not_handled_it(
    exit_status: int, verdict: Verdict
) -> None:
    early = exchange(operation="callback", injected=frozenset({"callback before-answer"}))
    evidence = Evidence(
        exchanges=(early,),
        tasks=(task(result_urls=(RESULT_URL,)),),
        client_exit=ClientExit(exit_status=exit_status, output=RESULT_URL),
    )

    assert judge(BY_ID["C-CB-003"], evidence).verdict is verdict


def test_list_as_mode_fails_only_the_rule_about_the_body() -> None:
    submit = exchange(status=400, task_id="", body='{"input":{"mode":["gpt-image-1"]}}')

    case = case_by_all_rules(Evidence(exchanges=(submit,)))

    assert {each.rule for each in case.findings if each.verdict is Verdict.FAIL} == {"C-REQ-003"}


def test_deepest_readable_body_can_be_judged() -> None:
    bodies = [f'{{"input":{"[" * depth}{"]" * depth}}}' for depth in range(900, 1_000)]
    submits = numbered(exchange(body=body) for body in bodies)

    verdict = judge(BY_ID["C-PAY-003"], Evidence(exchanges=submits)).verdict

    assert verdict is not Verdict.ERROR


def test_error_in_a_rule_is_reported_and_stops_no_other_rule() -> None:
    broken = msgspec.structs.replace(
        BY_ID["C-REQ-001"], check=lambda evidence: [][evidence.dropped]
    )

    finding, other = judge_all([broken, BY_ID["C-REQ-007"]], Evidence(exchanges=(exchange(),)))

    assert finding.verdict is Verdict.ERROR
    assert "IndexError" in finding.seen
    assert other.verdict is Verdict.PASS


@given(evidence)
def test_every_rule_can_judge_any_journal(evidence: Evidence) -> None:
    case = case_by_all_rules(evidence)

    assert [each.rule for each in case.findings] == [rule.id for rule in RULES]
    assert not [each.seen for each in case.findings if each.verdict is Verdict.ERROR]


@every_rule
def test_finding_says_what_the_client_must_or_should_do(rule: Rule) -> None:
    finding = judge(rule, sends_nothing())

    verb = "must" if rule.level is Level.MUST else "should"
    assert finding.title.startswith(f"{verb.capitalize()} ")
    assert finding.expected.startswith(f"the client {verb} ")


def test_key_sent_with_a_download_is_told_apart_from_what_is_expected() -> None:
    leak = exchange(1, 30, "result", headers=(("Authorization", "Bearer [redacted]"),))
    finding = judge(BY_ID["C-RES-005"], Evidence(exchanges=(leak,)))

    assert finding.expected == "the client must not send its API key to the result host"
    assert finding.seen == "the download request had the header Authorization, the API key"
