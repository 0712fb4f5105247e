"""Situations for every client: faults of submits, status requests, tasks and downloads."""

from typing import Final

from contract_tests.client.situation import Situation, on, on_submit
from contract_tests.client.situations.staging import (
    ENDS_AFTER_SLOW_RESPONSE,
    ENDS_BEFORE_FIRST_POLL,
    ENDS_BEFORE_THIRD_POLL,
    ENDS_WELL,
    SINGLE_PURCHASE,
    failing,
)

SITUATIONS: Final = (
    Situation(
        id="A-REQ-001",
        title="No fault occurs",
        judged=(
            "C-REQ-001", "C-REQ-002", "C-REQ-003", "C-REQ-004", "C-REQ-005", "C-REQ-007",
            "C-REQ-008", "C-REQ-009", "C-REQ-010",
            "C-POLL-001", "C-POLL-002", "C-POLL-003", "C-POLL-006", "C-POLL-007", "C-PAY-003",
            "C-RES-001", "C-RES-002", "C-RES-003", "C-RES-006",
            "C-OUT-001", "C-OUT-002", "C-KEY-001", "C-KEY-002", "C-FAIL-006",
        ),
        staged=(ENDS_BEFORE_THIRD_POLL,),
    ),
    Situation(
        id="A-REQ-002",
        title="The task id has characters that a query must escape, and the prompt is long",
        judged=("C-REQ-006", "C-REQ-009"),
        prompt_length=4_000,
        settings={"task_ids": "reserved"},
        staged=(ENDS_BEFORE_FIRST_POLL,),
        needs_polling=True,
    ),
    Situation(
        id="A-POLL-001",
        title="Two status responses have an unknown state",
        judged=("C-POLL-005", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_FIRST_POLL, on("status", {"meaning": "unknown-state"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-POLL-002",
        title="The task never ends",
        judged=("C-POLL-004", "C-POLL-007", *SINGLE_PURCHASE, *ENDS_WELL),
        staged=(on_submit(hold=True),),
        is_quick=False,
    ),
    Situation(
        id="A-FAIL-001",
        title="The task fails with CONTENT_VIOLATION",
        judged=("C-FAIL-001", "C-FAIL-002", "C-PAY-002", "C-POLL-003"),
        staged=failing("CONTENT_VIOLATION"),
    ),
    Situation(
        id="A-FAIL-002",
        title="The task fails with INVALID_IMAGE_URL",
        judged=("C-FAIL-001", "C-FAIL-002", "C-PAY-002", "C-POLL-003"),
        staged=failing("INVALID_IMAGE_URL"),
        is_quick=False,
    ),
    Situation(
        id="A-FAIL-003",
        title="The submit is rejected with the fail code SensitiveContent",
        judged=("C-FAIL-003", "C-FAIL-005", "C-LIM-005"),
        staged=(
            on("submit", {"refuse": {"status": 400, "message": "Bad request",
                                     "fail": "SensitiveContent"}}),
        ),
    ),
    Situation(
        id="A-ROB-001",
        title="The first status response is an HTML error page of a proxy",
        judged=("C-ROB-001", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "html-error"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-002",
        title="The first status response is empty",
        judged=("C-ROB-002", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "empty"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-003",
        title="The first status response is truncated",
        judged=("C-ROB-003", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "half-body"}, times=1)),
        needs_polling=True,
        is_quick=False,
    ),
    Situation(
        id="A-ROB-004",
        title="The first status response takes 5 seconds",
        judged=("C-ROB-004", *SINGLE_PURCHASE),
        staged=(ENDS_AFTER_SLOW_RESPONSE, on("status", {"latency": "5s"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-005",
        title="Two status responses have unknown members, and the result is on another host",
        judged=("C-ROB-005", "C-RES-005", *SINGLE_PURCHASE),
        settings={"result_host": "other"},
        staged=(ENDS_BEFORE_THIRD_POLL, on("status", {"meaning": "unknown-members"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-006",
        title="The first status request ends in a connection reset",
        judged=("C-ROB-006", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "reset"}, times=1)),
        needs_polling=True,
        is_quick=False,
    ),
    Situation(
        id="A-ROB-007",
        title="Two status responses have their members in another order",
        judged=("C-ROB-005", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_THIRD_POLL, on("status", {"meaning": "member-order"}, times=2)),
        needs_polling=True,
        is_quick=False,
    ),
    Situation(
        id="A-ROB-008",
        title="The first status response never ends",
        judged=("C-ROB-007", *SINGLE_PURCHASE),
        staged=(ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "hang"}, times=1)),
        needs_polling=True,
        is_quick=False,
    ),
)  # fmt: skip
