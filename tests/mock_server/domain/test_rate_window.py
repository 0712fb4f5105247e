"""LIM-1, LIM-3: the limit is exact in every window, whatever arrives and however time moves.

The model is the whole list of admitted instants, looked through every time.
"""

from collections.abc import Sequence
from copy import deepcopy
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.domain.window import WINDOW_MS, Window
from tests.mock_server.domain.strategies import NOW_MS
from tests.properties import examples

limits = st.integers(1, 6)
waits_ms = st.sampled_from([0, 1, WINDOW_MS - 1, WINDOW_MS, WINDOW_MS + 1]) | st.integers(
    0, WINDOW_MS + 10_000
)
arrivals_after_ms = st.lists(st.integers(0, WINDOW_MS // 2), max_size=15)


class WindowBesideItsModel(RuleBasedStateMachine):
    """The model: the limit, what time it is, and when something was admitted."""

    @initialize(limit=limits)
    def begin(self, limit: int) -> None:
        self.window = Window(limit)
        self.limit = limit
        self.now_ms = NOW_MS
        self.admitted: list[int] = []

    @rule()
    def arrive(self) -> None:
        expected = self._count() < self.limit

        assert self.window.admit(self.now_ms) == expected
        if expected:
            self.admitted.append(self.now_ms)

    @rule(times=st.integers(2, 8))
    def arrive_at_once(self, times: int) -> None:
        for _ in range(times):
            self.arrive()

    @rule(by_ms=waits_ms)
    def time_moves(self, by_ms: int) -> None:
        self.now_ms += by_ms

    @rule()
    def time_moves_until_it_lets_through(self) -> None:
        self.now_ms += self.window.wait_ms(self.now_ms)

    @rule(limit=limits)
    def another_limit(self, limit: int) -> None:
        self.window.resize(limit)
        self.limit = limit

    @invariant()
    def the_wait_is_exact(self) -> None:
        wait_ms = self.window.wait_ms(self.now_ms)

        assert (wait_ms == 0) == (self._count() < self.limit)
        assert deepcopy(self.window).admit(self.now_ms + wait_ms)
        if wait_ms:
            assert not deepcopy(self.window).admit(self.now_ms + wait_ms - 1)

    @invariant()
    def the_admitted_instants_are_in_order(self) -> None:
        assert self.window.admitted_ms(self.now_ms) == self._in_window()

    def _count(self) -> int:
        return len(self._in_window())

    def _in_window(self) -> list[int]:
        return [instant for instant in self.admitted if instant > self.now_ms - WINDOW_MS]


TestWindowBesideItsModel = WindowBesideItsModel.TestCase
TestWindowBesideItsModel.settings = examples(50)


def admitted_by(window: Window, instants: Sequence[int]) -> list[int]:
    return [instant for instant in instants if window.admit(instant)]


@given(limits, st.lists(st.integers(0, 4 * WINDOW_MS) | st.integers(59_000, 61_000), max_size=80))
def test_no_window_anywhere_holds_more_than_the_limit(limit: int, instants: list[int]) -> None:
    admitted = admitted_by(Window(limit), sorted(instants))

    for start in admitted:
        assert sum(start <= instant < start + WINDOW_MS for instant in admitted) <= limit


@given(limits, st.lists(limits, min_size=1, max_size=5), st.integers(0, WINDOW_MS - 1))
def test_a_resize_forgets_nothing_that_was_admitted(
    limit: int, others: list[int], after_ms: int
) -> None:
    window = Window(limit)
    admitted_by(window, [NOW_MS] * limit)
    for other in others:
        window.resize(other)

    more = admitted_by(window, [NOW_MS + after_ms] * 10)

    assert len(more) == max(0, others[-1] - limit)


@given(limits, arrivals_after_ms, limits, arrivals_after_ms)
def test_a_larger_limit_goes_on_where_the_smaller_was(
    limit: int, before: list[int], larger_by: int, after: list[int]
) -> None:
    window, admitted = Window(limit), list[int]()
    instants = list(accumulate([*before, *after], initial=NOW_MS))
    for number, now_ms in enumerate(instants):
        if number == len(before):
            window.resize(limit + larger_by)
        allowed = limit if number < len(before) else limit + larger_by
        expected = sum(each > now_ms - WINDOW_MS for each in admitted) < allowed

        assert window.admit(now_ms) == expected
        admitted += [now_ms] * expected


@pytest.mark.parametrize("limit", [1, 3, 10_000], ids="{} a minute".format)
def test_a_steady_stream_gets_exactly_the_limit_in_every_minute(limit: int) -> None:
    instants = [NOW_MS + number * WINDOW_MS // (2 * limit) for number in range(5 * limit)]

    admitted = admitted_by(Window(limit), instants)

    assert admitted == [
        instant for instant in instants if (instant - NOW_MS) // (WINDOW_MS // 2) % 2 == 0
    ]
    assert all(later - earlier <= WINDOW_MS for earlier, later in pairwise(admitted))


def test_a_refused_request_leaves_no_trace() -> None:
    window = Window(1)
    admitted_by(window, [NOW_MS, *range(NOW_MS + 1, NOW_MS + WINDOW_MS, 100)])

    assert window.wait_ms(NOW_MS + WINDOW_MS - 1) == 1
    assert window.admit(NOW_MS + WINDOW_MS)


def test_admitted_instants_are_in_order_when_the_ring_has_turned() -> None:
    window = Window(3)
    admitted = [window.admit(instant_ms) for instant_ms in (0, 30_000, 50_000, 61_000)]

    assert all(admitted)
    assert window.admitted_ms(61_000) == [30_000, 50_000, 61_000]
