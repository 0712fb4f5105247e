"""Situations in which the provider rejects requests."""

from typing import Final

from contract_tests.client.situation import Situation, on
from contract_tests.client.situations.staging import (
    ENDS_BEFORE_FIRST_POLL,
    ENDS_BEFORE_THIRD_POLL,
    ENDS_WELL,
    SINGLE_PURCHASE,
)

RATE_LIMITED: Final = {"status": 429, "message": "Rate limit exceeded"}

SITUATIONS: Final = (
    Situation(
        id="A-LIM-001",
        title="The submit is rate-limited, with Retry-After: 5",
        judged=("C-LIM-001", *ENDS_WELL),
        staged=(
            on("submit", {"refuse": RATE_LIMITED | {"retry_after": 5}}, times=1),
            ENDS_BEFORE_FIRST_POLL,
        ),
    ),
    Situation(
        id="A-LIM-002",
        title="The submit is rate-limited, with a date 6 seconds ahead in Retry-After",
        judged=("C-LIM-002", *ENDS_WELL),
        staged=(
            on("submit", {"refuse": RATE_LIMITED | {"retry_after": "date:6"}}, times=1),
            ENDS_BEFORE_FIRST_POLL,
        ),
    ),
    Situation(
        id="A-LIM-003",
        title="The submit is rate-limited, without Retry-After",
        judged=("C-LIM-003", *ENDS_WELL),
        staged=(on("submit", {"refuse": RATE_LIMITED}, times=1), ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-LIM-004",
        title="The submit is rate-limited three times in a row, without Retry-After",
        judged=("C-LIM-004", *ENDS_WELL),
        is_quick=False,
        staged=(on("submit", {"refuse": RATE_LIMITED}, times=3), ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-LIM-005",
        title="The submit is rejected with 400",
        judged=("C-LIM-005", *ENDS_WELL),
        staged=(on("submit", {"refuse": {"status": 400, "message": "Bad request"}}),),
    ),
    Situation(
        id="A-LIM-006",
        title="The submit is rejected with 401",
        judged=("C-LIM-005", *ENDS_WELL),
        staged=(on("submit", {"refuse": {"status": 401, "message": "Invalid API key"}}),),
    ),
    Situation(
        id="A-LIM-007",
        title="Status requests are rejected with 404",
        judged=("C-LIM-005", *SINGLE_PURCHASE, *ENDS_WELL),
        staged=(
            ENDS_BEFORE_THIRD_POLL,
            on("status", {"refuse": {"status": 404, "message": "Task not found"}}),
        ),
        needs_polling=True,
    ),
    Situation(
        id="A-LIM-008",
        title="Every submit gets a 503",
        judged=("C-LIM-006", *ENDS_WELL),
        staged=(on("submit", {"refuse": {"status": 503, "message": "Service unavailable"}}),),
        is_quick=False,
    ),
    Situation(
        id="A-LIM-009",
        title="Every status request gets a 500",
        judged=("C-LIM-006", *SINGLE_PURCHASE, *ENDS_WELL),
        staged=(
            ENDS_BEFORE_FIRST_POLL,
            on("status", {"refuse": {"status": 500, "message": "Internal error"}}),
        ),
        needs_polling=True,
        is_quick=False,
    ),
    Situation(
        id="A-LIM-010",
        title="The first status request is rate-limited, with Retry-After: 5",
        judged=("C-LIM-001", *SINGLE_PURCHASE, *ENDS_WELL),
        staged=(
            ENDS_BEFORE_FIRST_POLL,
            on("status", {"refuse": RATE_LIMITED | {"retry_after": 5}}, times=1),
        ),
        needs_polling=True,
    ),
    Situation(
        id="A-LIM-011",
        title="The submit is rejected with 403",
        judged=("C-LIM-005", *ENDS_WELL),
        staged=(on("submit", {"refuse": {"status": 403, "message": "API key lacks permission"}}),),
    ),
)
