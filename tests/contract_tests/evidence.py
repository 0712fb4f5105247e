"""Evidence written by hand: what a client did, without a client, a mock or a journal."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit, HttpExchange, TaskRecord
from contract_tests.client.reports.cases import judge_case
from contract_tests.client.reports.report import AuditedCase, AuditReport
from contract_tests.client.reports.summary import summarize
from contract_tests.client.rules import BY_ID, RULES
from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.contract.register import load_register

REGISTER = load_register()
RESULT_URL = "http://127.0.0.1:1/results/task_1/0.png"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(100))
HEADERS = (("Authorization", "Bearer [redacted]"), ("Content-Type", "application/json"))
INPUT = {"mode": "gpt-image-1", "prompt": "a fox"}
_PATHS = {
    "submit": GENERATE,
    "status": f"{STATUS}?taskId=task_1",
    "balance": BALANCE,
    "result": "/results/task_1/0.png",
    "callback": "/callback",
}


def exchange(
    number: int = 1, at_s: float = 1.0, operation: str = "submit", **given: Any
) -> HttpExchange:
    """Return a correct exchange of the task `task_1`, except for what is given."""
    is_submit = operation == "submit"
    usual: dict[str, Any] = {
        "number": number,
        "at_ms": round(at_s * 1000),
        "operation": operation,
        "task_id": "" if operation == "balance" else "task_1",
        "status": 200,
        "duration_ms": 3.0,
        "injected": frozenset(),
        "error": "",
        "method": "POST" if operation in {"submit", "callback"} else "GET",
        "path": _PATHS[operation],
        "headers": (*HEADERS, ("User-Agent", "a-client/1")),
        "body": json.dumps({"input": INPUT}) if is_submit else "",
        "response_headers": (("Content-Type", "application/json"),),
        "response_body": '{"code": 200, "message": "success", "data": null}',
    }
    return HttpExchange(**(usual | given))


def rejected(
    number: int, at_s: float, status: int, operation: str = "submit", **given: Any
) -> HttpExchange:
    """Return an exchange that a rule rejected with this status."""
    body = json.dumps({"code": status, "message": "no", "data": None})
    return exchange(
        number, at_s, operation, status=status, task_id="", response_body=body,
        injected=frozenset({f"refuse {status}"}), is_injected_rejection=True, **given,
    )  # fmt: skip


def envelope(state: str, task_id: str = "task_1", **members: Any) -> str:
    """Return the body of a status response or of a callback."""
    data = {"taskId": task_id, "state": state} | members
    return json.dumps({"code": 200, "message": "success", "data": data})


def task(state: str = "success", task_id: str = "task_1", **given: Any) -> TaskRecord:
    usual: dict[str, Any] = {"id": task_id, "num_images": 1, "created_ms": 0, "state": state}
    return TaskRecord(**(usual | given))


def numbered(exchanges: Iterable[HttpExchange]) -> tuple[HttpExchange, ...]:
    """Return the exchanges with the numbers 1, 2, 3 and so on, as a journal has them."""
    return tuple(
        msgspec.structs.replace(each, number=number) for number, each in enumerate(exchanges, 1)
    )


def full_timeline() -> Evidence:
    """Return a case with all that a timeline shows: a 429, too many polls, a callback, a result."""
    polls_s = [3.0, 3.2, 3.4, 3.6, 12.0, 23.0]
    return Evidence(
        exchanges=(
            rejected(1, 0, 429, response_headers=(("Retry-After", "5"),)),
            exchange(2, 1.0),
            *(
                exchange(3 + number, at_s, "status", response_body=envelope("processing"))
                for number, at_s in enumerate(polls_s)
            ),
            exchange(9, 24.0, "callback", body=envelope("success"), response_body=""),
            exchange(10, 24.1, "status", response_body=envelope("success")),
            exchange(11, 24.2, "result", response_body=""),
        ),
        tasks=(task(created_ms=1000, ended_ms=23_500, result_urls=(RESULT_URL,)),),
        client_exit=ClientExit(exit_status=0, output="done\n", after_s=24.5),
    )


def retries_400() -> Evidence:
    exchanges = (rejected(1, 0, 400), rejected(2, 0.1, 400))
    return Evidence(exchanges=exchanges, client_exit=ClientExit(exit_status=1))


def accepts_400() -> Evidence:
    return Evidence(exchanges=(rejected(1, 0, 400),), client_exit=ClientExit(exit_status=1))


def sends_nothing() -> Evidence:
    return Evidence(client_exit=ClientExit(exit_status=0, files=()))


def case_of(
    evidence: Evidence,
    case_id: str = "A-LIM-005",
    *,
    title: str = "The submit is rejected with 400",
    rules: Sequence[str] = ("C-LIM-005",),
) -> AuditedCase:
    return judge_case(case_id, title, [BY_ID[each] for each in rules], evidence)


def case_by_all_rules(evidence: Evidence, case_id: str = "A-REQ-001") -> AuditedCase:
    return judge_case(case_id, "No fault occurs", RULES, evidence)


def report_of(
    *cases: AuditedCase, client: str = "python client.py {prompt}", **given: Any
) -> AuditReport:
    usual: dict[str, Any] = {"base_url": "http://127.0.0.1:1", "suite": "full", "seed": 1}
    return summarize(cases, REGISTER, client=client, **(usual | given))
