"""All situations of the audit."""

from typing import Final

from contract_tests.client.situation import Situation, on, submit

_SOON: Final = submit(pending="1s", processing="17s")  # ended when a patient client first asks
_LATER: Final = submit(pending="1s", processing="23s")  # a patient client asks three times
_LONG: Final = submit(pending="1s", processing="29s")  # … even if an answer takes five seconds
_EARLY: Final = submit(pending="1s", processing="2s")
_THROTTLE: Final = {"status": 429, "message": "Rate limit exceeded"}
_ONCE: Final = ("C-PAY-003",)


def _failed(code: str) -> tuple[dict[str, object], ...]:
    return (submit(pending="1s", processing="17s", fail=code, message="staged by the audit"),)


SITUATIONS: Final = (
    Situation(
        id="A-REQ-001",
        title="all goes well",
        judged=(
            "C-REQ-001", "C-REQ-002", "C-REQ-003", "C-REQ-004", "C-REQ-005", "C-REQ-007",
            "C-POLL-001", "C-POLL-002", "C-POLL-003", "C-POLL-006", "C-PAY-003",
            "C-RES-001", "C-RES-002", "C-RES-003", "C-RES-005",
        ),
        staged=(_LATER,),
    ),
    Situation(
        id="A-REQ-002",
        title="the task's id has signs that a query must escape",
        judged=("C-REQ-006",),
        settings={"task_ids": "reserved"},
        staged=(_SOON,),
        needs_polling=True,
    ),
    Situation(
        id="A-POLL-001",
        title="two status answers have a state that nobody knows",
        judged=("C-POLL-005", *_ONCE),
        staged=(_SOON, on("status", {"meaning": "unknown-state"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-POLL-002",
        title="the task never ends",
        judged=("C-POLL-004", *_ONCE),
        staged=(submit(hold=True),),
        is_quick=False,
    ),
    Situation(
        id="A-LIM-001",
        title="the submit is throttled, Retry-After says 5 seconds",
        judged=("C-LIM-001",),
        staged=(on("submit", {"refuse": _THROTTLE | {"retry_after": 5}}, times=1), _SOON),
    ),
    Situation(
        id="A-LIM-002",
        title="the submit is throttled, Retry-After says a date 6 seconds ahead",
        judged=("C-LIM-002",),
        staged=(on("submit", {"refuse": _THROTTLE | {"retry_after": "date:6"}}, times=1), _SOON),
    ),
    Situation(
        id="A-LIM-003",
        title="the submit is throttled without Retry-After",
        judged=("C-LIM-003",),
        staged=(on("submit", {"refuse": _THROTTLE}, times=1), _SOON),
    ),
    Situation(
        id="A-LIM-004",
        title="the submit is throttled three times in a row without Retry-After",
        judged=("C-LIM-004",),
        staged=(on("submit", {"refuse": _THROTTLE}, times=3), _SOON),
    ),
    Situation(
        id="A-LIM-005",
        title="the submit is refused with 400",
        judged=("C-LIM-005",),
        staged=(on("submit", {"refuse": {"status": 400, "message": "Bad request"}}),),
    ),
    Situation(
        id="A-LIM-006",
        title="the submit is refused with 401",
        judged=("C-LIM-005",),
        staged=(on("submit", {"refuse": {"status": 401, "message": "Invalid API key"}}),),
    ),
    Situation(
        id="A-LIM-007",
        title="the status request is refused with 404",
        judged=("C-LIM-005", *_ONCE),
        staged=(_LATER, on("status", {"refuse": {"status": 404, "message": "Task not found"}})),
        needs_polling=True,
    ),
    Situation(
        id="A-LIM-008",
        title="every submit is answered 503",
        judged=("C-LIM-006",),
        staged=(on("submit", {"refuse": {"status": 503, "message": "Service unavailable"}}),),
        is_quick=False,
    ),
    Situation(
        id="A-LIM-009",
        title="every status request is answered 500",
        judged=("C-LIM-006", *_ONCE),
        staged=(_SOON, on("status", {"refuse": {"status": 500, "message": "Internal error"}})),
        needs_polling=True,
        is_quick=False,
    ),
    Situation(
        id="A-PAY-001",
        title="the submit is accepted, but its answer is lost",
        judged=("C-PAY-001",),
        staged=(on("submit", {"wire": "close"}, times=1), _SOON),
    ),
    Situation(
        id="A-PAY-002",
        title="the submit is accepted, but its answer breaks off",
        judged=("C-PAY-001",),
        staged=(on("submit", {"wire": "half-body"}, times=1), _SOON),
    ),
    Situation(
        id="A-FAIL-001",
        title="the task fails with CONTENT_VIOLATION",
        judged=("C-FAIL-001", "C-FAIL-002", "C-PAY-002"),
        staged=_failed("CONTENT_VIOLATION"),
    ),
    Situation(
        id="A-FAIL-002",
        title="the task fails with INVALID_IMAGE_URL",
        judged=("C-FAIL-001", "C-FAIL-002", "C-PAY-002"),
        staged=_failed("INVALID_IMAGE_URL"),
    ),
    Situation(
        id="A-RES-001",
        title="the first download breaks off",
        judged=("C-RES-004", *_ONCE),
        staged=(_SOON, on("result", {"wire": "half-body"}, times=1)),
    ),
    Situation(
        id="A-RES-002",
        title="the first download is half an image",
        judged=("C-RES-004", *_ONCE),
        staged=(_SOON, on("result", {"meaning": "result-truncated"}, times=1)),
    ),
    Situation(
        id="A-ROB-001",
        title="the first status answer is the HTML error page of a proxy",
        judged=("C-ROB-001", *_ONCE),
        staged=(_SOON, on("status", {"wire": "html-error"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-002",
        title="the first status answer is empty",
        judged=("C-ROB-002", *_ONCE),
        staged=(_SOON, on("status", {"wire": "empty"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-003",
        title="the first status answer breaks off",
        judged=("C-ROB-003", *_ONCE),
        staged=(_SOON, on("status", {"wire": "half-body"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-004",
        title="the first status answer takes five seconds",
        judged=("C-ROB-004", *_ONCE),
        staged=(_LONG, on("status", {"latency": "5s"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-005",
        title="two status answers have unknown members",
        judged=("C-ROB-005", *_ONCE),
        staged=(_LATER, on("status", {"meaning": "unknown-members"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-006",
        title="the first status request is answered by a reset",
        judged=("C-ROB-006", *_ONCE),
        staged=(_SOON, on("status", {"wire": "reset"}, times=1)),
        needs_polling=True,
    ),
    Situation(
        id="A-ROB-007",
        title="two status answers have their members in another order",
        judged=("C-ROB-005", *_ONCE),
        staged=(_LATER, on("status", {"meaning": "member-order"}, times=2)),
        needs_polling=True,
    ),
    Situation(
        id="A-CB-001",
        title="a callback comes",
        judged=("C-CB-001",),
        staged=(_EARLY,),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-002",
        title="the callback comes three times",
        judged=("C-CB-002",),
        staged=(_EARLY, on("callback", {"callback": {"duplicate": 2}})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-003",
        title="the callback comes before the submit is answered",
        judged=("C-CB-003",),
        staged=(_EARLY, on("callback", {"callback": "before-answer"})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-004",
        title="the callback comes 10 seconds late",
        judged=("C-CB-004",),
        staged=(_EARLY, on("callback", {"callback": {"delay": "10s"}})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-005",
        title="no callback comes",
        judged=("C-CB-005",),
        staged=(_EARLY, on("callback", {"callback": "drop"})),
        needs_receiver=True,
        is_quick=False,
    ),
    Situation(
        id="A-CB-006",
        title="a callback with a forged task id comes before the true one",
        judged=("C-CB-006",),
        staged=(_EARLY, on("callback", {"callback": "forged-id"})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-007",
        title="the first callback is garbage",
        judged=("C-CB-007",),
        staged=(_EARLY, on("callback", {"callback": "garbage"}, times=1)),
        needs_receiver=True,
        is_quick=False,
    ),
    Situation(
        id="A-CB-008",
        title="the callback tells of a failure",
        judged=("C-CB-008", "C-PAY-002"),
        staged=(
            submit(pending="1s", processing="2s", fail="CONTENT_VIOLATION", message="staged"),
        ),
        needs_receiver=True,
    ),
)  # fmt: skip
