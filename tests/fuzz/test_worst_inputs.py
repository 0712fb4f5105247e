"""No input is hard to read: the time grows with its size, and 1 MiB stays within a budget.

Times are those of the thread, as multiples of what a simple loop takes on the same machine.
"""

import json
import math
import time
from collections.abc import Callable

import pytest

from tests.fuzz.generators import filled
from tests.fuzz.target import Target, load, names
from tests.properties import is_deep

_MIB = 1024 * 1024
_IDLE_LOOP_MS = 25  # The time of the loop on the machine for which the budgets were set.
_SLACK = 4
_STEPS = 8  # The larger input is this number of times as long.
_MAX_GROWTH = 5 * _STEPS  # For the time; it grows by the square of the steps if it is quadratic.
_QUICK = 0.5  # In loops. The growth of shorter times is not measured.


@pytest.fixture(scope="session")
def loop_s() -> float:
    """Return how long this machine needs to write and read a list of numbers."""
    return _fastest(lambda: json.loads(json.dumps(list(range(200_000)))))


@pytest.mark.deep
@pytest.mark.parametrize("name", names())
def test_time_of_a_hard_input_grows_with_its_size(name: str, loop_s: float) -> None:
    _check(load(name), _MIB // 8, loop_s)


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.skipif(not is_deep(), reason="`make test-deep` tries 1 MiB, `make test` less")
@pytest.mark.parametrize("name", names())
def test_one_mebibyte_is_read_within_the_budget(name: str, loop_s: float) -> None:
    _check(load(name), _MIB, loop_s)


def test_reader_of_quadratic_time_is_noticed(loop_s: float) -> None:
    def read(raw: bytes) -> None:
        for at in range(0, len(raw), 16):
            raw[at:].count(b"b")

    target = Target(check=read, handle=read, seeds=tuple, worst={"a": filled(b"", b"a")})

    with pytest.raises(AssertionError, match="loops, then"):
        _check(target, _MIB // 8, loop_s)


def _check(target: Target, size: int, loop_s: float) -> None:
    limit = _SLACK * target.budget_ms / _IDLE_LOOP_MS * size / _MIB
    for seed in target.seeds():
        target.handle(seed)  # Imports and caches are not measured.

    for hard, make in target.worst.items():
        large = _loops(target, make(size), loop_s)
        if large > _QUICK:
            small = max(_loops(target, make(size // _STEPS), loop_s), _QUICK / 10)
            assert large < _MAX_GROWTH * small, f"{hard}: {small:.2f} loops, then {large:.2f}"
        if size == _MIB:
            assert large < max(limit, _QUICK), f"{hard}: {large:.1f} of {limit:.1f} loops"


def _loops(target: Target, raw: bytes, loop_s: float) -> float:
    return _fastest(lambda: target.handle(raw), _QUICK * loop_s) / loop_s


def _fastest(run: Callable[[], object], good_s: float = 0) -> float:
    """Return the seconds of the fastest of three runs, or of the first one within `good_s`."""
    fastest_s = math.inf
    for _ in range(5):
        began_s = time.thread_time()
        run()
        fastest_s = min(fastest_s, time.thread_time() - began_s)
        if fastest_s <= good_s:
            break
    return fastest_s
