"""In each case, a client cannot tell how the server has served its requests."""

import pytest

from mock_server.store.memory_store import MemoryStore
from tests.mock_server.both_ways import framing_cases
from tests.mock_server.both_ways.all_cases import ALL, CONCURRENT
from tests.mock_server.both_ways.case import Case
from tests.mock_server.both_ways.twins import Twins
from tests.mock_server.fake_stores import DurableStore, WaitingStore
from tests.properties import part_of

STORES = (MemoryStore, DurableStore, WaitingStore)
DEEP = (pytest.mark.deep, pytest.mark.long)
CASES = [
    *(pytest.param(MemoryStore, case, id=f"MemoryStore-{case.name}") for case in ALL),
    *(
        pytest.param(store, case, id=f"{store.__name__}-{case.name}", marks=DEEP)
        for store in (DurableStore, WaitingStore)
        for case in part_of(ALL)
        if store is not WaitingStore or case.name != CONCURRENT
    ),
]


@pytest.mark.parametrize(("twins_of", "case"), CASES, indirect=["twins_of"])
def test_both_ways_are_the_same_to_the_client(twins_of: Twins, case: Case) -> None:
    is_slow = twins_of.direct.mock.app._store.is_durable
    outcome, direct = twins_of.compare(case.talk, f"sk-case-{case.name}")

    assert outcome.statuses == list(case.statuses)
    assert outcome.is_closed_by_server == case.closes
    assert outcome.is_aborted == case.is_aborted
    # With a store that takes time, an ordinary request may not be complete when the next one comes.
    assert direct in case.direct or (is_slow and direct < case.direct.stop)
    assert ("BEFORE" in "".join(outcome.callbacks)) == case.has_early_callback


@pytest.mark.parametrize("twins_of", STORES, indirect=True)
def test_every_store_serves_plain_requests_directly(twins_of: Twins) -> None:
    _, direct = twins_of.compare(framing_cases.requests_one_after_the_other)

    assert direct == 3


@pytest.mark.parametrize("second", ["X-Other: 2", "X-Longer: 1"])
def test_a_difference_between_the_ways_is_found(twins: Twins, second: str) -> None:
    headers = iter(["X-Other: 1", second])

    with pytest.raises(AssertionError, match="sandboxes"):
        twins.compare(lambda t: t.send(t.balance(next(headers))))
