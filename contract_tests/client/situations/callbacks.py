"""Situations for clients that receive callbacks."""

from typing import Final

from contract_tests.client.situation import Situation, on, on_submit

_ENDS_SOON: Final = on_submit(pending="1s", processing="2s")

SITUATIONS: Final = (
    Situation(
        id="A-CB-001",
        title="A callback arrives, and the result is on another host",
        judged=("C-CB-001", "C-REQ-008", "C-RES-005", "C-RES-006", "C-KEY-001", "C-FAIL-006"),
        settings={"result_host": "other"},
        staged=(_ENDS_SOON,),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-002",
        title="The callback arrives three times",
        judged=("C-CB-002",),
        staged=(_ENDS_SOON, on("callback", {"callback": {"duplicate": 2}})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-003",
        title="The callback arrives before the submit response",
        judged=("C-CB-003",),
        staged=(_ENDS_SOON, on("callback", {"callback": "before-answer"})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-004",
        title="The callback arrives 10 seconds late",
        judged=("C-CB-004",),
        staged=(_ENDS_SOON, on("callback", {"callback": {"delay": "10s"}})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-005",
        title="No callback arrives",
        judged=("C-CB-005",),
        staged=(_ENDS_SOON, on("callback", {"callback": "drop"})),
        needs_receiver=True,
        is_quick=False,
    ),
    Situation(
        id="A-CB-006",
        title="A callback with a forged task id arrives before the genuine one",
        judged=("C-CB-006",),
        staged=(_ENDS_SOON, on("callback", {"callback": "forged-id"})),
        needs_receiver=True,
    ),
    Situation(
        id="A-CB-007",
        title="The first callback is malformed",
        judged=("C-CB-007",),
        staged=(_ENDS_SOON, on("callback", {"callback": "garbage"}, times=1)),
        needs_receiver=True,
        is_quick=False,
    ),
    Situation(
        id="A-CB-008",
        title="The callback reports a failed task",
        judged=("C-CB-008", "C-PAY-002"),
        staged=(
            on_submit(pending="1s", processing="2s", fail="CONTENT_VIOLATION", message="staged"),
        ),
        needs_receiver=True,
    ),
)
