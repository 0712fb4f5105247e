"""What the audit says of a journal is never more than what stands in it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Ended, Exchange, TaskSeen
from contract_tests.client.reports.report import audited
from contract_tests.client.rule import Rule, judge, judge_all
from contract_tests.client.rules import BY_ID, RULES
from contract_tests.contract.verdicts import Verdict

OF_ANY_REQUEST = {"C-REQ-001", "C-REQ-007"}
TASK_IDS = ("", "task_1", "task_2+=&?#%2F")


def exchange(**known: Any) -> Exchange:
    plain: dict[str, Any] = {
        "number": 1,
        "at_ms": 1_000,
        "operation": "balance",
        "task_id": "",
        "status": 200,
        "duration_ms": 1.0,
        "injected": frozenset(),
        "error": "",
        "method": "GET",
        "path": "/api/v1/apikeys/current-balance",
        "headers": (
            ("Authorization", "Bearer [redacted]"),
            ("User-Agent", "one/1"),
            ("Content-Type", "application/json"),
        ),
        "body": "",
        "answer_headers": (("content-type", "application/json"),),
        "answer_body": '{"code":200,"message":"success","data":74.87}',
    }
    return Exchange(**plain | known)


def numbered(found: list[Exchange]) -> tuple[Exchange, ...]:
    return tuple(msgspec.structs.replace(each, number=at) for at, each in enumerate(found, 1))


every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@every_rule
def test_an_empty_journal_proves_nothing(rule: Rule) -> None:
    finding = judge(rule, Evidence(ended=Ended(exit_status=0)))

    assert finding.verdict is Verdict.INCONCLUSIVE
    assert rule.event in finding.seen


@every_rule
def test_what_needs_the_end_is_left_out_where_it_is_not_known(rule: Rule) -> None:
    expected = Verdict.SKIP if rule.needs_end else Verdict.INCONCLUSIVE

    assert judge(rule, Evidence()).verdict is expected


@every_rule
def test_who_asks_for_the_balance_only_proves_no_more_than_how_it_asks(rule: Rule) -> None:
    asked = Evidence(exchanges=(exchange(),), ended=Ended(exit_status=0))

    expected = Verdict.PASS if rule.id in OF_ANY_REQUEST else Verdict.INCONCLUSIVE

    assert judge(rule, asked).verdict is expected


@every_rule
def test_a_submit_alone_is_no_polling_no_result_and_no_callback(rule: Rule) -> None:
    submit = exchange(
        operation="submit",
        task_id="task_1",
        method="POST",
        body='{"input":{"mode":"gpt-image-1","prompt":"a fox"}}',
    )
    task = TaskSeen(id="task_1", num_images=1, created_ms=1_000, state="pending")
    asked = Evidence(exchanges=(submit,), tasks=(task,), ended=Ended(exit_status=0))

    is_about_it = rule.id.startswith("C-REQ") and rule.id != "C-REQ-006"
    expected = Verdict.PASS if is_about_it or rule.id == "C-PAY-003" else Verdict.INCONCLUSIVE

    assert judge(rule, asked).verdict is expected


def test_a_receiver_that_answers_after_half_a_minute_is_too_late() -> None:
    late = exchange(operation="callback", task_id="task_1", method="POST", duration_ms=31_000.0)
    task = TaskSeen(id="task_1", num_images=1, created_ms=0, state="success", ended_ms=1_000)

    finding = judge(BY_ID["C-CB-001"], Evidence(exchanges=(late,), tasks=(task,)))

    assert finding.verdict is Verdict.FAIL


SUCCESS = '{"data":{"taskId":"%s","state":"success","resultJson":"{}"}}'


def test_two_tasks_on_purpose_are_no_second_effect_of_a_callback() -> None:
    wishes = {"task_1": "1:1", "task_2": "3:2"}
    submits = [
        exchange(operation="submit", task_id=task_id, body=f'{{"input":{{"r":"{ratio}"}}}}')
        for task_id, ratio in wishes.items()
    ]
    callbacks = [
        exchange(operation="callback", task_id=task_id, body=SUCCESS % task_id)
        for task_id in (*wishes, *wishes)
    ]
    tasks = tuple(
        TaskSeen(id=task_id, num_images=1, created_ms=0, state="success") for task_id in wishes
    )
    rule = BY_ID["C-CB-002"]

    said = judge(rule, Evidence(exchanges=numbered([*submits, *callbacks]), tasks=tasks))
    again = judge(
        rule, Evidence(exchanges=numbered([*submits, *callbacks, submits[0]]), tasks=tasks)
    )

    assert said.verdict is Verdict.PASS
    assert again.verdict is Verdict.FAIL


@pytest.mark.parametrize(("exit_status", "verdict"), [(0, Verdict.PASS), (1, Verdict.FAIL)])
def test_an_address_in_the_output_of_a_crash_is_no_proof_that_it_was_read(
    exit_status: int, verdict: Verdict
) -> None:
    url = "http://127.0.0.1:1/results/task_1/1.png"
    polled = exchange(operation="status", task_id="task_1", answer_body=SUCCESS % "task_1")
    task = TaskSeen(id="task_1", num_images=1, created_ms=0, state="success", result_urls=(url,))
    ended = Ended(exit_status=exit_status, output=f"{{'resultUrls': ['{url}']}}")

    found = judge(
        BY_ID["C-RES-001"], Evidence(exchanges=numbered([polled]), tasks=(task,), ended=ended)
    )

    assert found.verdict is verdict


def test_a_crash_that_prints_the_callback_has_not_coped_with_it() -> None:
    url = "http://127.0.0.1:1/results/task_1/1.png"
    early = exchange(
        operation="callback", task_id="task_1", injected=frozenset({"callback before-answer"})
    )
    task = TaskSeen(id="task_1", num_images=1, created_ms=0, state="success", result_urls=(url,))

    def verdict(exit_status: int) -> Verdict:
        ended = Ended(exit_status=exit_status, output=url)
        seen = Evidence(exchanges=numbered([early]), tasks=(task,), ended=ended)
        return judge(BY_ID["C-CB-003"], seen).verdict

    assert verdict(0) is Verdict.PASS
    assert verdict(1) is Verdict.WARN


def test_who_sends_a_list_for_a_mode_is_told_so() -> None:
    submit = exchange(operation="submit", status=400, body='{"input":{"mode":["gpt-image-1"]}}')

    case = audited("any", "all rules", RULES, Evidence(exchanges=(submit,)))

    assert {each.rule for each in case.findings if each.verdict is Verdict.FAIL} == {"C-REQ-003"}


def test_a_body_nested_as_deep_as_can_be_read_is_judged_too() -> None:
    bodies = [f'{{"input":{"[" * deep}{"]" * deep}}}' for deep in range(900, 1_000)]
    submits = [exchange(operation="submit", task_id="task_1", body=body) for body in bodies]

    verdict = judge(BY_ID["C-PAY-003"], Evidence(exchanges=numbered(submits))).verdict

    assert verdict is not Verdict.ERROR


def test_a_rule_that_breaks_off_says_so_and_takes_no_other_with_it() -> None:
    broken = msgspec.structs.replace(BY_ID["C-REQ-001"], look=lambda evidence: [][evidence.dropped])

    finding, other = judge_all([broken, BY_ID["C-REQ-007"]], Evidence(exchanges=(exchange(),)))

    assert finding.verdict is Verdict.ERROR
    assert "IndexError" in finding.seen
    assert other.verdict is Verdict.PASS


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9),
    st.sampled_from(("success", "failed", "processing", "CONTENT_VIOLATION", "callback")),
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
submits = st.fixed_dictionaries(
    {},
    optional={
        "request_type": values,
        "input": values | st.fixed_dictionaries({}, optional={"mode": values, "nVariants": values}),
        "webhook": values,
    },
)
answers = st.fixed_dictionaries(
    {},
    optional={
        "data": values
        | st.fixed_dictionaries({}, optional={"state": values, "failCode": values, "error": values})
    },
)
texts = st.one_of(
    (submits | answers | values).map(json.dumps),
    st.text(max_size=20),
    st.integers(0, 2_000).map(lambda deep: f'{{"input":{"[" * deep}{"]" * deep}}}'),
    st.just("9" * 5_000),
)
dates = (
    "Tue, 24 Nov 2026 10:00:00 GMT",
    "Tue, 24 Nov 2026 10:00:07 -0000",
    "Tue, 24 Nov 99999 10:00:00 GMT",
    "Tue, 24 Nov 2026 10:00:00 +99999999999999999999",
)
headers = st.lists(
    st.tuples(
        st.sampled_from(("Retry-After", "Date", "Authorization", "Content-Type", "X-API-Key")),
        st.sampled_from((*dates, "5", "٣", "²", "-1", "1e9", "9" * 400, "soon", "")),
    ),
    max_size=4,
).map(tuple)
faults = st.frozensets(
    st.sampled_from(
        ("wire close", "wire html-error", "refuse 429", "latency", "meaning unknown-members",
         "meaning result-truncated", "callback drop", "callback delay", "callback forged-id")
    ),
    max_size=2,
)  # fmt: skip
exchanges = st.builds(
    exchange,
    at_ms=st.integers(0, 10**13),
    operation=st.sampled_from(("submit", "status", "balance", "result", "callback")),
    task_id=st.sampled_from(TASK_IDS),
    status=st.sampled_from((0, 200, 206, 304, 400, 401, 404, 410, 429, 500, 503)),
    duration_ms=st.floats(0, 10**9),
    injected=faults,
    error=st.text(max_size=5),
    method=st.sampled_from(("GET", "POST", "HEAD")),
    path=st.sampled_from(("/", "//[?taskId=task_1", "/x?taskId=task_1", "?taskId=%ff&taskId", "")),
    headers=headers,
    body=texts,
    answer_headers=headers,
    answer_body=texts,
)
tasks = st.builds(
    TaskSeen,
    id=st.sampled_from(TASK_IDS),
    num_images=st.integers(0, 4),
    created_ms=st.integers(0, 10**13),
    state=st.sampled_from(("pending", "processing", "success", "failed")),
    ended_ms=st.none() | st.integers(0, 10**13),
    fail_code=st.none() | st.text(max_size=5),
    result_urls=st.lists(st.text(max_size=5), max_size=2).map(tuple),
)
ends = st.builds(
    Ended,
    exit_status=st.integers(-15, 255),
    output=st.text(max_size=9),
    timed_out=st.booleans(),
    after_s=st.floats(0, 10**6),
)
evidence = st.builds(
    Evidence,
    exchanges=st.lists(exchanges, max_size=8).map(numbered),
    tasks=st.lists(tasks, max_size=3, unique_by=lambda task: task.id).map(tuple),
    ended=st.none() | ends,
    dropped=st.integers(0, 2),
    is_manual=st.booleans(),
    unauthorized=st.integers(0, 2),
)


@given(evidence)
def test_whatever_stands_in_a_journal_every_rule_has_its_say(found: Evidence) -> None:
    case = audited("any", "anything at all", RULES, found)

    assert [each.rule for each in case.findings] == [rule.id for rule in RULES]
    assert not [each.seen for each in case.findings if each.verdict is Verdict.ERROR]
