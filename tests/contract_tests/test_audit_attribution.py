"""A client that runs several tasks at once is judged by each task, not by their order."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit, HttpExchange
from contract_tests.client.rule import judge
from contract_tests.client.rules import BY_ID
from contract_tests.contract.provider import STATUS
from contract_tests.contract.verdicts import Verdict, worst
from tests.contract_tests.evidence import envelope, exchange, numbered, rejected, task

ABOUT_REPETITION = (
    "C-LIM-001", "C-LIM-002", "C-LIM-003", "C-LIM-004", "C-LIM-005", "C-LIM-006", "C-PAY-001",
    "C-PAY-003",
)  # fmt: skip
RETRY_AFTER_5 = (("Retry-After", "5"),)


def submit_body(name: str) -> str:
    return json.dumps({"input": {"prompt": name}})


def accepted(at_s: float, name: str, **given: Any) -> HttpExchange:
    return exchange(0, at_s, task_id=f"task_{name}", body=submit_body(name), **given)


def throttled(at_s: float, name: str, **given: Any) -> HttpExchange:
    usual: dict[str, Any] = {"body": submit_body(name), "response_headers": RETRY_AFTER_5}
    return rejected(0, at_s, 429, **(usual | given))


def evidence_of(exchanges: Sequence[HttpExchange]) -> Evidence:
    """Return evidence with these exchanges, ordered by their instants."""
    ordered = sorted(exchanges, key=lambda each: each.at_ms)
    ids = dict.fromkeys(each.task_id for each in ordered if each.task_id)
    return Evidence(
        exchanges=numbered(ordered),
        tasks=tuple(task("processing", each) for each in ids),
        client_exit=ClientExit(exit_status=0),
    )


@st.composite
def one_task(draw: st.DrawFn, name: str) -> list[HttpExchange]:
    """Return what a client sends for one task: attempts of a submit, then status requests."""
    at_s = draw(st.floats(0, 3))
    exchanges: list[HttpExchange] = []
    for status in draw(st.lists(st.sampled_from((429, 503)), max_size=12)):
        headers = draw(st.sampled_from((RETRY_AFTER_5, ())))
        exchanges.append(
            rejected(0, at_s, status, body=submit_body(name), response_headers=headers)
        )
        at_s += draw(st.sampled_from((0.01, 1.0, 2.0, 6.0)))
    exchanges.append(accepted(at_s, name))
    for status in draw(st.lists(st.sampled_from((200, 429, 500, 404)), max_size=8)):
        at_s += draw(st.sampled_from((0.01, 3.0, 6.0)))
        known = {"task_id": f"task_{name}", "path": f"{STATUS}?taskId=task_{name}"}
        if status == 200:
            body = envelope("processing", f"task_{name}")
            exchanges.append(exchange(0, at_s, "status", response_body=body, **known))
        else:
            exchanges.append(msgspec.structs.replace(rejected(0, at_s, status, "status"), **known))
    return exchanges


@given(st.tuples(one_task("a"), one_task("b"), one_task("c")))
def test_tasks_that_run_at_once_are_judged_like_each_of_them_alone(
    tasks: tuple[list[HttpExchange], ...],
) -> None:
    together = evidence_of([each for exchanges in tasks for each in exchanges])

    for rule in map(BY_ID.__getitem__, ABOUT_REPETITION):
        alone = [judge(rule, evidence_of(exchanges)).verdict for exchanges in tasks]
        judged = [each for each in alone if each is not Verdict.INCONCLUSIVE] or alone
        assert judge(rule, together).verdict is worst(judged), rule.id


def test_submits_for_other_tasks_are_no_retry_of_a_throttled_submit() -> None:
    exchanges = [throttled(0, "a"), accepted(0.01, "b"), accepted(0.02, "c"), accepted(5.1, "a")]

    finding = judge(BY_ID["C-LIM-001"], evidence_of(exchanges))

    assert finding.verdict is Verdict.PASS
    assert finding.seen == "retried after 5.10 s (Retry-After: 5)"


def test_status_request_for_another_task_is_no_retry_of_a_throttled_one() -> None:
    exchanges = [
        exchange(
            0, at_s, "status", task_id=f"task_{name}", path=f"{STATUS}?taskId=task_{name}",
            status=status, response_headers=RETRY_AFTER_5, response_body=envelope("processing"),
        )
        for at_s, name, status in ((0, "a", 429), (0.1, "b", 200), (3.1, "b", 200), (5.2, "a", 200))
    ]  # fmt: skip

    assert judge(BY_ID["C-LIM-001"], evidence_of(exchanges)).verdict is Verdict.PASS


def test_first_submits_with_one_input_begin_tasks_and_the_last_are_retries() -> None:
    """Three tasks have the same prompt; the first submit was throttled, and was sent again."""
    exchanges = [throttled(0, "a"), accepted(0.01, "a"), accepted(0.02, "a"), accepted(5.1, "a")]

    assert judge(BY_ID["C-LIM-001"], evidence_of(exchanges)).verdict is Verdict.PASS


@pytest.mark.parametrize(("began_ms", "verdict"), [(1, Verdict.WARN), (7, Verdict.FAIL)])
def test_request_that_began_before_the_response_repeats_nothing(
    began_ms: int, verdict: Verdict
) -> None:
    exchanges = [
        throttled(0.005, "a", began_ms=0, duration_ms=5.0),
        throttled(0.010, "a", began_ms=began_ms, duration_ms=3.0),
    ]

    assert judge(BY_ID["C-LIM-001"], evidence_of(exchanges)).verdict is verdict


def test_throttled_submit_is_attributed_to_the_task_of_its_retry() -> None:
    exchanges = [throttled(0, "a"), accepted(0.01, "b"), accepted(5.1, "a")]

    calls = evidence_of(exchanges).calls

    assert [(call.task_id, len(call.attempts)) for call in calls] == [("task_a", 2), ("task_b", 1)]


@pytest.mark.parametrize(("began_ms", "verdict"), [(1, Verdict.WARN), (9, Verdict.FAIL)])
def test_equal_submits_sent_at_once_may_be_intended(began_ms: int, verdict: Verdict) -> None:
    exchanges = [
        accepted(0.005, "a", began_ms=0, duration_ms=5.0),
        accepted(0.010, "a", began_ms=began_ms, duration_ms=5.0),
    ]

    assert judge(BY_ID["C-PAY-003"], evidence_of(exchanges)).verdict is verdict
