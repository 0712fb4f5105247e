"""What several situations stage and judge."""

from typing import Final

from contract_tests.client.situation import Json, on_submit

# A client that follows the advice of TIM-2 polls after 20 s, 23 s, 26 s and so on.
ENDS_BEFORE_FIRST_POLL: Final = on_submit(pending="1s", processing="17s")
ENDS_BEFORE_THIRD_POLL: Final = on_submit(pending="1s", processing="23s")
ENDS_AFTER_SLOW_RESPONSE: Final = on_submit(pending="1s", processing="29s")
SINGLE_PURCHASE: Final = ("C-PAY-003",)
ENDS_WELL: Final = ("C-FAIL-003", "C-FAIL-004", "C-FAIL-006")


def failing(code: str) -> tuple[Json, ...]:
    """Return the rule with which every task fails with this code."""
    return (on_submit(pending="1s", processing="17s", fail=code, message="staged by the audit"),)
