"""No input is hard to read: the time grows with its size, and 1 MiB stays within a budget."""

import json
from functools import partial

import pytest

from tests.fuzz.target import load, names
from tests.growth import growth, seconds
from tests.properties import is_deep

_MIB = 1024 * 1024
_LARGE, _SMALL = _MIB // 8, _MIB // 64
# If the time grows with the size, it grows by 8 here; with the square of the size, by 64.
_MAX_GROWTH = 24
_QUICK_S = 0.003  # The growth of shorter times is not measured.

_IDLE_LOOP_MS = 25  # The time of the loop on the machine for which the budgets were set.
_SLACK = 4


@pytest.mark.deep
@pytest.mark.parametrize("name", names())
def test_time_of_a_hard_input_grows_with_its_size(name: str) -> None:
    target = load(name)
    for seed in target.seeds():
        target.handle(seed)  # Imports and caches are not measured.

    for hard, make in target.worst.items():
        small, large = (partial(target.handle, make(size)) for size in (_SMALL, _LARGE))
        if seconds(large) >= _QUICK_S:
            assert growth(small, large, _MAX_GROWTH) < _MAX_GROWTH, hard


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.skipif(not is_deep(), reason="`make test-deep` tries 1 MiB, `make test` less")
@pytest.mark.parametrize("name", names())
def test_one_mebibyte_is_read_within_the_budget(name: str) -> None:
    """Compare the time with that of a simple loop on the same machine."""
    target = load(name)
    limit = _SLACK * target.budget_ms / _IDLE_LOOP_MS
    for seed in target.seeds():
        target.handle(seed)

    for hard, make in target.worst.items():
        assert growth(_loop, partial(target.handle, make(_MIB)), limit) < limit, hard


def _loop() -> None:
    json.loads(json.dumps(list(range(200_000))))
