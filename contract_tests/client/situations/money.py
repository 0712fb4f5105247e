"""Situations in which a submit may have been accepted, so that sending it again may cost money."""

from typing import Final

from contract_tests.client.situation import Situation, on
from contract_tests.client.situations.staging import ENDS_BEFORE_FIRST_POLL, ENDS_WELL

SITUATIONS: Final = (
    Situation(
        id="A-PAY-001",
        title="The submit is accepted, but its response is lost",
        judged=("C-PAY-001", *ENDS_WELL),
        staged=(on("submit", {"wire": "close"}, times=1), ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-PAY-002",
        title="The submit is accepted, but its response is truncated",
        judged=("C-PAY-001", *ENDS_WELL),
        staged=(on("submit", {"wire": "half-body"}, times=1), ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-PAY-003",
        title="The first submit gets a 500",
        judged=("C-PAY-001", *ENDS_WELL),
        staged=(
            on("submit", {"refuse": {"status": 500, "message": "Internal error"}}, times=1),
            ENDS_BEFORE_FIRST_POLL,
        ),
    ),
    Situation(
        id="A-PAY-004",
        title="The submit is accepted, but its response is a proxy's HTML page with status 502",
        judged=("C-PAY-001", *ENDS_WELL),
        staged=(on("submit", {"wire": "html-error"}, times=1), ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-PAY-005",
        title="The submit is accepted, but its response is empty, with status 200",
        judged=("C-PAY-001", *ENDS_WELL),
        staged=(on("submit", {"wire": "empty"}, times=1), ENDS_BEFORE_FIRST_POLL),
    ),
    Situation(
        id="A-PAY-006",
        title="The submit is accepted, but its response never ends",
        judged=("C-PAY-001", "C-ROB-007", "C-FAIL-003", "C-FAIL-004"),
        staged=(on("submit", {"wire": "hang"}, times=1), ENDS_BEFORE_FIRST_POLL),
        is_quick=False,
    ),
)
