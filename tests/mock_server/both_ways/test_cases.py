"""In each case, a client cannot tell how the server has served its requests."""

import pytest

from tests.mock_server.both_ways import framing_cases, head_cases, rule_cases, sandbox_cases
from tests.mock_server.both_ways.case import Case
from tests.mock_server.both_ways.twins import Twins

CASES = [
    pytest.param(case, id=case.name)
    for cases in (framing_cases, head_cases, sandbox_cases, rule_cases)
    for case in cases.CASES
]


@pytest.mark.parametrize("case", CASES)
def test_both_ways_are_the_same_to_the_client(twins: Twins, case: Case) -> None:
    outcome, direct = twins.compare(case.talk, f"sk-case-{case.name}")

    assert outcome.statuses == list(case.statuses)
    assert outcome.is_closed_by_server == case.closes
    assert outcome.is_aborted == case.is_aborted
    assert direct in case.direct
    assert ("BEFORE" in "".join(outcome.callbacks)) == case.has_early_callback


@pytest.mark.parametrize("second", ["X-Other: 2", "X-Longer: 1"])
def test_a_difference_between_the_ways_is_found(twins: Twins, second: str) -> None:
    headers = iter(["X-Other: 1", second])

    with pytest.raises(AssertionError, match="sandboxes"):
        twins.compare(lambda t: t.send(t.balance(next(headers))))
