"""The audit blames a client for what it did, and finds what it did."""

import json
from typing import Any

import pytest

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit, HttpExchange
from contract_tests.client.rule import RuleFinding, judge
from contract_tests.client.rules import BY_ID
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import envelope, exchange, numbered, rejected, task


def finding_of(rule: str, *exchanges: HttpExchange, **given: Any) -> RuleFinding:
    usual: dict[str, Any] = {"client_exit": ClientExit(exit_status=1), "tasks": (task(),)}
    return judge(BY_ID[rule], Evidence(exchanges=numbered(exchanges), **(usual | given)))


def poll(at_s: float, state: str = "processing", **given: Any) -> HttpExchange:
    return exchange(0, at_s, "status", response_body=envelope(state), **given)


def test_client_that_stopped_waiting_for_a_slow_response_has_continued() -> None:
    """The journal has the slow response last, but the client has sent the other request later."""
    polled_again = poll(24, "success", began_ms=24_000)
    slow = poll(25, began_ms=20_000, duration_ms=5_000.0, injected=frozenset({"latency"}))

    finding = finding_of("C-ROB-004", exchange(0, 0), polled_again, slow)

    assert finding.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("waited_s", "verdict"), [(18.1, Verdict.PASS), (17.5, Verdict.WARN), (0.5, Verdict.FAIL)]
)
def test_first_status_request_may_count_from_before_the_submit(
    waited_s: float, verdict: Verdict
) -> None:
    assert finding_of("C-POLL-001", exchange(0, 0), poll(waited_s)).verdict is verdict


@pytest.mark.parametrize(
    ("status", "verdict"), [(500, Verdict.FAIL), (502, Verdict.FAIL), (503, Verdict.WARN)]
)
def test_submit_sent_again_after_a_server_error_may_cost_money(
    status: int, verdict: Verdict
) -> None:
    body = json.dumps({"input": {"prompt": "a fox"}})

    finding = finding_of("C-PAY-001", rejected(0, 0, status, body=body), exchange(0, 2, body=body))

    assert finding.verdict is verdict
    assert f"after a {status} the submit was sent again" in finding.seen


def test_submit_sent_again_after_a_429_costs_nothing() -> None:
    finding = finding_of("C-PAY-001", rejected(0, 0, 429), exchange(0, 2))

    assert finding.verdict is Verdict.INCONCLUSIVE


def test_status_request_that_is_throttled_must_be_retried() -> None:
    throttled = rejected(0, 20, 429, "status", response_headers=(("Retry-After", "5"),))

    finding = finding_of("C-LIM-001", exchange(0, 0), throttled)

    assert finding.verdict is Verdict.FAIL
    assert "its task continues and is billed" in finding.seen


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        ("error 401: Invalid API key", Verdict.PASS),
        ("no", Verdict.PASS),  # The message of the response.
        ("generation failed", Verdict.WARN),
        ("Traceback (most recent call last):\n  KeyError: 'taskId'", Verdict.FAIL),
        ("TypeError: data is null\n    at main.mjs:17:9\n\nNode.js v20.20.2", Verdict.FAIL),
        ("panic: runtime error: invalid memory address", Verdict.FAIL),
        ("Traceback (most recent call last):\n  HTTPError: 401 Unauthorized", Verdict.PASS),
    ],
)
def test_crash_on_a_rejection_is_told_from_a_report(output: str, verdict: Verdict) -> None:
    client_exit = ClientExit(exit_status=1, output=output)

    assert finding_of("C-FAIL-004", rejected(0, 0, 401), client_exit=client_exit).verdict is verdict


def test_client_that_tried_until_its_deadline_need_not_report_the_last_rejection() -> None:
    client_exit = ClientExit(exit_status=1, output="still in progress after 300 s")
    for status, verdict in ((500, Verdict.SKIP), (404, Verdict.WARN)):
        polls = [rejected(0, at_s, status, "status") for at_s in (20, 23)]

        finding = finding_of("C-FAIL-004", exchange(0, 0), *polls, client_exit=client_exit)

        assert finding.verdict is verdict


@pytest.mark.parametrize(
    ("prompt", "verdict"),
    [
        ("a fox at night", Verdict.PASS),
        ("photo of: a fox at night, 4k", Verdict.PASS),
        ("a fox at nigh", Verdict.FAIL),
        ("a fox at nigÃ¢t", Verdict.FAIL),
    ],
)
def test_prompt_may_be_extended_but_not_changed(prompt: str, verdict: Verdict) -> None:
    body = json.dumps({"input": {"prompt": prompt}})

    finding = finding_of("C-REQ-009", exchange(body=body), prompt="a fox at night")

    assert finding.verdict is verdict


def test_difference_of_a_prompt_is_located() -> None:
    body = json.dumps({"input": {"prompt": "a fox at noon"}})

    finding = finding_of("C-REQ-009", exchange(body=body), prompt="a fox at night")

    assert finding.seen == (
        "13 of 14 characters; from character 11 on, 'oon' was sent instead of 'ight'"
    )


@pytest.mark.parametrize(
    ("member", "seen"),
    [
        ("resolution", "input.resolution is documented for other models"),
        ("negative_prompt", "input.negative_prompt is documented for other models"),
        ("size", 'input.size is documented for other models; did you mean "input.aspect_ratio"?'),
        ("promt", 'unknown member input.promt; did you mean "input.prompt"?'),
    ],
)
def test_member_of_other_models_is_told_from_an_unknown_one(member: str, seen: str) -> None:
    body = json.dumps({"input": {"prompt": "a fox", member: "1k"}})

    finding = finding_of("C-REQ-004", exchange(body=body))

    assert (finding.verdict, finding.seen) == (Verdict.WARN, seen)


def test_rejected_ratio_of_other_models_is_only_advice() -> None:
    for ratio, verdict in (("16:9", Verdict.WARN), ("7:5", Verdict.FAIL)):
        body = json.dumps({"input": {"prompt": "a fox", "aspect_ratio": ratio}})

        assert finding_of("C-REQ-003", exchange(status=400, body=body)).verdict is verdict


@pytest.mark.parametrize(("polls", "verdict"), [(0, Verdict.FAIL), (2, Verdict.WARN)])
def test_callback_url_without_request_type_is_worse_for_a_client_that_never_polls(
    polls: int, verdict: Verdict
) -> None:
    body = json.dumps({"callback_url": "https://example.com/done", "input": {}})
    requests = [exchange(0, 0, body=body), *(poll(20 + 3 * number) for number in range(polls))]

    assert finding_of("C-REQ-008", *requests).verdict is verdict


def test_minutes_without_a_status_request_are_too_long() -> None:
    polls = [poll(at_s) for at_s in (20, 26, 38, 62, 110)]

    assert finding_of("C-POLL-007", exchange(0, 0), *polls[:-1]).verdict is Verdict.PASS
    assert finding_of("C-POLL-007", exchange(0, 0), *polls, poll(206)).verdict is Verdict.WARN


STOPPED = -15
API_HOST = ("Host", "127.0.0.1:8080")
OTHER_HOST = ("Host", "localhost:8080")
KEY = ("Authorization", "Bearer [redacted]")


@pytest.mark.parametrize(
    ("hosts_with_key", "hosts_without_key", "verdict"),
    [
        ([API_HOST], [OTHER_HOST], Verdict.PASS),
        ([OTHER_HOST], [], Verdict.FAIL),
        ([API_HOST], [], Verdict.FAIL),
    ],
)
def test_key_for_the_host_of_the_api_is_a_leak_only_if_no_download_has_another_host(
    hosts_with_key: list[tuple[str, str]],
    hosts_without_key: list[tuple[str, str]],
    verdict: Verdict,
) -> None:
    downloads = [exchange(0, 25, "result", headers=(each, KEY)) for each in hosts_with_key]
    downloads += [exchange(0, 25, "result", headers=(each,)) for each in hosts_without_key]

    finding = finding_of("C-RES-005", exchange(0, 0, headers=(API_HOST, KEY)), *downloads)

    assert finding.verdict is verdict
    is_ambiguous = verdict is Verdict.FAIL and hosts_with_key == [API_HOST]
    assert ("result_host" in finding.seen) is is_ambiguous


@pytest.mark.parametrize(
    ("polled", "duration_ms", "verdict"),
    [
        ("success", 1.0, Verdict.INCONCLUSIVE),
        ("success", 30_000.0, Verdict.FAIL),
        ("processing", 1.0, Verdict.FAIL),
    ],
)
def test_client_that_polled_the_end_may_exit_before_its_callback(
    polled: str, duration_ms: float, verdict: Verdict
) -> None:
    unanswered = exchange(
        0, 25, "callback", status=0, error="connection refused", duration_ms=duration_ms
    )

    finding = finding_of("C-CB-001", exchange(0, 0), poll(24, polled), unanswered)

    assert finding.verdict is verdict


def test_request_without_a_key_may_belong_to_a_case_that_ran_at_the_same_time() -> None:
    finding = finding_of("C-REQ-001", exchange(), unauthorized=2)

    assert finding.verdict is Verdict.FAIL
    assert finding.seen == (
        "2 requests without a usable API key, in this case or in one that ran at the same time"
    )


@pytest.mark.parametrize(
    ("state", "exit_status", "verdict"),
    [
        ("success", STOPPED, Verdict.FAIL),
        ("success", 0, Verdict.PASS),
        ("processing", STOPPED, Verdict.SKIP),
    ],
)
def test_client_must_end_only_if_its_tasks_have_ended(
    state: str, exit_status: int, verdict: Verdict
) -> None:
    client_exit = ClientExit(exit_status=exit_status, timed_out=exit_status == STOPPED, after_s=60)

    finding = finding_of(
        "C-FAIL-006",
        exchange(0, 0),
        poll(24, state),
        client_exit=client_exit,
        tasks=(task(state),),
    )

    assert finding.verdict is verdict


@pytest.mark.parametrize(("exit_status", "verdict"), [(0, Verdict.PASS), (1, Verdict.FAIL)])
def test_client_that_got_a_callback_need_not_poll_again_after_a_reset(
    exit_status: int, verdict: Verdict
) -> None:
    callback = exchange(0, 18, "callback", body=envelope("success"))
    reset = poll(20, "success", injected=frozenset({"wire reset"}))

    finding = finding_of(
        "C-ROB-006",
        exchange(0, 0),
        callback,
        reset,
        client_exit=ClientExit(exit_status=exit_status),
    )

    assert finding.verdict is verdict


def test_prompt_of_a_client_that_was_given_none_need_not_be_tested() -> None:
    assert finding_of("C-REQ-009", exchange()).verdict is Verdict.SKIP
