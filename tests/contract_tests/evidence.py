"""Evidence by hand: what a client did, without a client, a mock or a journal."""

import json
from collections.abc import Sequence
from typing import Any

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Ended, Exchange, TaskSeen
from contract_tests.client.reports.report import AuditedCase, AuditReport, audit_report, audited
from contract_tests.client.rules import BY_ID, RULES
from contract_tests.contract.register import load_register

REGISTER = load_register()
API = "/api/v1/generateTask/gpt-image-1"
STATUS = "/api/v1/statusTask/gpt-image-1"
HEADERS = (("Authorization", "Bearer [key]"), ("Content-Type", "application/json"))


def exchange(number: int, at_s: float, operation: str = "submit", **given: Any) -> Exchange:
    """Return a good one, but for what is given."""
    is_submit = operation == "submit"
    usual: dict[str, Any] = {
        "number": number,
        "at_ms": round(at_s * 1000),
        "operation": operation,
        "task_id": "task_1",
        "status": 200,
        "duration_ms": 3.0,
        "injected": frozenset(),
        "error": "",
        "method": "POST" if is_submit else "GET",
        "path": API if is_submit else f"{STATUS}?taskId=task_1",
        "headers": (*HEADERS, ("User-Agent", "a-client/1")),
        "body": json.dumps({"input": {"mode": "gpt-image-1", "prompt": "a fox"}}) * is_submit,
        "answer_headers": (("Content-Type", "application/json"),),
        "answer_body": '{"code": 200, "message": "success", "data": null}',
    }
    return Exchange(**(usual | given))


def refused(number: int, at_s: float, status: int, operation: str = "submit", **given: Any) -> Any:
    body = json.dumps({"code": status, "message": "no", "data": None})
    return exchange(
        number, at_s, operation, status=status, task_id="", answer_body=body,
        injected=frozenset({f"refuse {status}"}), **given,
    )  # fmt: skip


def told(state: str) -> str:
    data = {"taskId": "task_1", "state": state}
    return json.dumps({"code": 200, "message": "success", "data": data})


def a_whole_story() -> Evidence:
    """Return one with everything that a timeline draws: it polls too often, and is throttled."""
    polls = [3.0, 3.2, 3.4, 3.6, 12.0, 23.0]
    return Evidence(
        exchanges=(
            refused(1, 0, 429, answer_headers=(("Retry-After", "5"),)),
            exchange(2, 1.0),
            *(
                exchange(3 + number, at_s, "status", answer_body=told("processing"))
                for number, at_s in enumerate(polls)
            ),
            exchange(9, 24.0, "callback", method="POST", body=told("success"), answer_body=""),
            exchange(10, 24.1, "status", answer_body=told("success")),
            exchange(11, 24.2, "result", path="/results/task_1/0.png", answer_body=""),
        ),
        tasks=(
            TaskSeen(id="task_1", num_images=1, created_ms=1000, state="success", ended_ms=23_500,
                     result_urls=("http://127.0.0.1:1/results/task_1/0.png",)),
        ),
        ended=Ended(exit_status=0, output="done\n", after_s=24.5),
    )  # fmt: skip


def retries_400() -> Evidence:
    return Evidence(
        exchanges=(refused(1, 0, 400), refused(2, 0.1, 400)), ended=Ended(exit_status=1)
    )


def takes_400() -> Evidence:
    return Evidence(exchanges=(refused(1, 0, 400),), ended=Ended(exit_status=1))


def case_of(
    evidence: Evidence,
    case_id: str = "A-LIM-005",
    *,
    title: str = "the submit is refused with 400",
    rules: Sequence[str] = ("C-LIM-005",),
) -> AuditedCase:
    return audited(case_id, title, [BY_ID[each] for each in rules], evidence)


def case_by_all_rules(evidence: Evidence, case_id: str = "A-REQ-001") -> AuditedCase:
    return audited(case_id, "all goes well", RULES, evidence)


def report_of(
    *cases: AuditedCase, client: str = "python client.py {prompt}", **given: Any
) -> AuditReport:
    usual: dict[str, Any] = {"base_url": "http://127.0.0.1:1", "profile": "full", "seed": 1}
    return audit_report(cases, REGISTER, client=client, **(usual | given))
