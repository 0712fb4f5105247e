"""Situations for every client: faults of submits, status requests, tasks and downloads."""

from typing import Final

from contract_tests.client.situation import Situation, on, on_submit

# A client that follows the advice of TIM-2 polls after 20 s, 23 s, 26 s and so on.
_ENDS_BEFORE_FIRST_POLL: Final = on_submit(pending="1s", processing="17s")
_ENDS_BEFORE_THIRD_POLL: Final = on_submit(pending="1s", processing="23s")
_ENDS_AFTER_SLOW_RESPONSE: Final = on_submit(pending="1s", processing="29s")
_RATE_LIMITED: Final = {"status": 429, "message": "Rate limit exceeded"}
_SINGLE_PURCHASE: Final = ("C-PAY-003",)


def _failing(code: str) -> tuple[dict[str, object], ...]:
    return (on_submit(pending="1s", processing="17s", fail=code, message="staged by the audit"),)


SITUATIONS: Final = (
    Situation(
        id="A-REQ-001",
        title="No fault occurs",
        judged=(
            "C-REQ-001", "C-REQ-002", "C-REQ-003", "C-REQ-004", "C-REQ-005", "C-REQ-007",
            "C-POLL-001", "C-POLL-002", "C-POLL-003", "C-POLL-006", "C-PAY-003",
            "C-RES-001", "C-RES-002", "C-RES-003", "C-RES-005", "C-RES-006",
            "C-OUT-001", "C-OUT-002", "C-KEY-001", "C-KEY-002",
        ),
        staged=(_ENDS_BEFORE_THIRD_POLL,),
    ),
    Situation(
        id="A-REQ-002",
        title="The task id contains characters that a query must escape",
        judged=("C-REQ-006",),
        settings={"task_ids": "reserved"},
        staged=(_ENDS_BEFORE_FIRST_POLL,),
        needs_polling=True,
    ),
    Situation(
        id="A-POLL-001",
        title="Two status responses have an unknown state",
        judged=("C-POLL-005", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_FIRST_POLL, on("status", {"meaning": "unknown-state"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-POLL-002",
        title="The task never ends",
        judged=("C-POLL-004", *_SINGLE_PURCHASE),
        staged=(on_submit(hold=True),),
        is_quick=False,
    ),
    Situation(
        id="A-LIM-001",
        title="The submit is rate-limited, with Retry-After: 5",
        judged=("C-LIM-001",),
        staged=(
            on("submit", {"refuse": _RATE_LIMITED | {"retry_after": 5}}, times=1),
            _ENDS_BEFORE_FIRST_POLL,
        ),
    ),
    Situation(
        id="A-LIM-002",
        title="The submit is rate-limited, with a date 6 seconds ahead in Retry-After",
        judged=("C-LIM-002",),
        staged=(
            on("submit", {"refuse": _RATE_LIMITED | {"retry_after": "date:6"}}, times=1),
            _ENDS_BEFORE_FIRST_POLL,
        ),
    ),
    Situation(
        id="A-LIM-003",
        title="The submit is rate-limited, without Retry-After",
        judged=("C-LIM-003",),
        staged=(on("submit", {"refuse": _RATE_LIMITED}, times=1), _ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-LIM-004",
        title="The submit is rate-limited three times in a row, without Retry-After",
        judged=("C-LIM-004",),
        staged=(on("submit", {"refuse": _RATE_LIMITED}, times=3), _ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-LIM-005",
        title="The submit is rejected with 400",
        judged=("C-LIM-005",),
        staged=(on("submit", {"refuse": {"status": 400, "message": "Bad request"}}),),
    ),
    Situation(
        id="A-LIM-006",
        title="The submit is rejected with 401",
        judged=("C-LIM-005",),
        staged=(on("submit", {"refuse": {"status": 401, "message": "Invalid API key"}}),),
    ),
    Situation(
        id="A-LIM-007",
        title="Status requests are rejected with 404",
        judged=("C-LIM-005", *_SINGLE_PURCHASE),
        staged=(
            _ENDS_BEFORE_THIRD_POLL,
            on("status", {"refuse": {"status": 404, "message": "Task not found"}}),
        ),
        needs_polling=True,
    ),
    Situation(
        id="A-LIM-008",
        title="Every submit gets a 503",
        judged=("C-LIM-006",),
        staged=(on("submit", {"refuse": {"status": 503, "message": "Service unavailable"}}),),
        is_quick=False,
    ),
    Situation(
        id="A-LIM-009",
        title="Every status request gets a 500",
        judged=("C-LIM-006", *_SINGLE_PURCHASE),
        staged=(
            _ENDS_BEFORE_FIRST_POLL,
            on("status", {"refuse": {"status": 500, "message": "Internal error"}}),
        ),
        needs_polling=True,
        is_quick=False,
    ),
    Situation(
        id="A-PAY-001",
        title="The submit is accepted, but its response is lost",
        judged=("C-PAY-001",),
        staged=(on("submit", {"wire": "close"}, times=1), _ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-PAY-002",
        title="The submit is accepted, but its response is truncated",
        judged=("C-PAY-001",),
        staged=(on("submit", {"wire": "half-body"}, times=1), _ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-FAIL-001",
        title="The task fails with CONTENT_VIOLATION",
        judged=("C-FAIL-001", "C-FAIL-002", "C-PAY-002"),
        staged=_failing("CONTENT_VIOLATION"),
    ),
    Situation(
        id="A-FAIL-002",
        title="The task fails with INVALID_IMAGE_URL",
        judged=("C-FAIL-001", "C-FAIL-002", "C-PAY-002"),
        staged=_failing("INVALID_IMAGE_URL"),
    ),
    Situation(
        id="A-ROB-001",
        title="The first status response is an HTML error page of a proxy",
        judged=("C-ROB-001", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "html-error"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-002",
        title="The first status response is empty",
        judged=("C-ROB-002", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "empty"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-003",
        title="The first status response is truncated",
        judged=("C-ROB-003", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "half-body"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-004",
        title="The first status response takes 5 seconds",
        judged=("C-ROB-004", *_SINGLE_PURCHASE),
        staged=(_ENDS_AFTER_SLOW_RESPONSE, on("status", {"latency": "5s"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-005",
        title="Two status responses have unknown members",
        judged=("C-ROB-005", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_THIRD_POLL, on("status", {"meaning": "unknown-members"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-006",
        title="The first status request ends in a connection reset",
        judged=("C-ROB-006", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_FIRST_POLL, on("status", {"wire": "reset"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-007",
        title="Two status responses have their members in another order",
        judged=("C-ROB-005", *_SINGLE_PURCHASE),
        staged=(_ENDS_BEFORE_THIRD_POLL, on("status", {"meaning": "member-order"}, times=2)),
        needs_polling=True,
    ),
)  # fmt: skip
