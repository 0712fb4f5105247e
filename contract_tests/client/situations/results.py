"""Situations in which downloads of results go wrong, or in which there are several results."""

from typing import Final

from contract_tests.client.situation import Situation, on
from contract_tests.client.situations.staging import ENDS_BEFORE_FIRST_POLL

_UNAVAILABLE: Final = {"status": 503, "message": "Service unavailable"}

SITUATIONS: Final = (
    Situation(
        id="A-RES-001",
        title="The first download is interrupted",
        judged=("C-RES-004", "C-OUT-002", "C-PAY-003"),
        staged=(ENDS_BEFORE_FIRST_POLL, on("result", {"wire": "half-body"}, times=1)),
        is_quick=False,
    ),
    Situation(
        id="A-RES-002",
        title="The first download is a truncated image",
        judged=("C-RES-004", "C-OUT-002", "C-PAY-003"),
        staged=(ENDS_BEFORE_FIRST_POLL, on("result", {"meaning": "result-truncated"}, times=1)),
        is_quick=False,
    ),
    Situation(
        id="A-RES-003",
        title="The result address redirects to another host",
        judged=("C-RES-008", "C-RES-005", "C-OUT-002", "C-PAY-003"),
        staged=(ENDS_BEFORE_FIRST_POLL, on("result", {"meaning": "result-redirected"}, times=1)),
        is_quick=False,
    ),
    Situation(
        id="A-RES-004",
        title="The first download gets a 503 with a JSON error",
        judged=("C-RES-004", "C-OUT-002", "C-PAY-003"),
        staged=(ENDS_BEFORE_FIRST_POLL, on("result", {"refuse": _UNAVAILABLE}, times=1)),
        is_quick=False,
    ),
    Situation(
        id="A-RES-005",
        title="The first download is an HTML page with status 200",
        judged=("C-RES-004", "C-OUT-002", "C-PAY-003"),
        staged=(ENDS_BEFORE_FIRST_POLL, on("result", {"meaning": "result-wrong-type"}, times=1)),
        is_quick=False,
    ),
    Situation(
        id="A-RES-006",
        title="Every download is a truncated image",
        judged=("C-RES-007", "C-OUT-002", "C-PAY-003"),
        staged=(ENDS_BEFORE_FIRST_POLL, on("result", {"meaning": "result-truncated"})),
        is_quick=False,
    ),
    Situation(
        id="A-RES-007",
        title="Four images are requested",
        judged=("C-RES-002", "C-OUT-001", "C-OUT-002"),
        staged=(ENDS_BEFORE_FIRST_POLL,),
        num_images=4,
    ),
)
