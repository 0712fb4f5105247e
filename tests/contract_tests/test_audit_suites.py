"""The quick suite is quick for a client that waits as the provider advises."""

from heapq import heappop, heappush

import pytest

from contract_tests.client.situation import Situation
from contract_tests.client.situations import SITUATIONS

PARALLEL = 8
MAX_WAIT_S = 60.0
FIRST_POLL_S = 20.0
INTERVAL_S = 3.0


def waits_s(situation: Situation, *, polls: bool) -> float:
    """Return how long a client waits: until its first status request after the end of the task."""
    gives_up = situation.id.startswith("A-PAY-")  # After a submit that may have been accepted.
    if gives_up or not situation.shortest_s:
        return 0.0
    if situation.needs_receiver:
        return situation.shortest_s + INTERVAL_S
    return max(situation.shortest_s, FIRST_POLL_S if polls else 0.0) + INTERVAL_S


@pytest.mark.parametrize("polls", [True, False], ids=["polling", "callbacks"])
def test_quick_suite_waits_at_most_a_minute(*, polls: bool) -> None:
    quick = [each for each in SITUATIONS if each.is_quick]
    cases = [each for each in quick if not (each.needs_receiver if polls else each.needs_polling)]
    lanes = [0.0] * PARALLEL

    for case in sorted(cases, key=lambda each: -each.shortest_s):
        heappush(lanes, heappop(lanes) + waits_s(case, polls=polls))

    assert max(lanes) <= MAX_WAIT_S
