"""Reports of audits: one with every verdict, and one with the texts of a client everywhere."""

import json
from typing import Any

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit
from contract_tests.client.reports.cases import unjudged_case
from contract_tests.client.reports.report import AuditReport
from contract_tests.client.situations import SITUATIONS
from contract_tests.contract.provider import STATUS
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import (
    accepts_400,
    case_by_all_rules,
    case_of,
    exchange,
    rejected,
    report_of,
    retries_400,
    sends_nothing,
)


def gives_up_after_429() -> Evidence:
    return Evidence(exchanges=(rejected(1, 0, 429),), client_exit=ClientExit(exit_status=1))


def every_verdict(**given: Any) -> AuditReport:
    """Return a report with one case of each verdict."""
    return report_of(
        case_of(retries_400(), "A-LIM-901"),
        unjudged_case(SITUATIONS[0], Verdict.ERROR, "the mock failed"),
        case_of(sends_nothing(), "A-LIM-903"),
        case_of(gives_up_after_429(), "A-LIM-904", rules=("C-LIM-003",)),
        case_of(accepts_400(), "A-LIM-905"),
        unjudged_case(SITUATIONS[1], Verdict.SKIP, "not tested"),
        **given,
    )


def report_with(text: str) -> AuditReport:
    """Return a report in which this text is everything that a client can choose."""
    printable = text.encode("utf-8", "replace").decode()
    body = json.dumps({"input": {"prompt": text, text: text}, text: text})
    evidence = Evidence(
        exchanges=tuple(
            exchange(
                number, number, operation, body=body, error=text, path=f"{STATUS}?taskId={text}",
                headers=(("User-Agent", text), ("Content-Type", text), ("Authorization", text)),
                response_body=text,
            )
            for number, operation in enumerate(("submit", "status", "result"), 1)
        ),
        client_exit=ClientExit(exit_status=1, output=text),
    )  # fmt: skip
    nothing = Evidence(client_exit=ClientExit(exit_status=1, output=text))
    cases = (case_by_all_rules(evidence), case_of(nothing, f"A-{printable}", title=printable))
    return report_of(*cases, client=text)
