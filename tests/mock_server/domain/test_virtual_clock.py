"""Time in a sandbox: real, scaled or by hand, and never back."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.domain.clock import LATEST_MS, Mode, VirtualClock
from tests.mock_server.domain.strategies import DAY_MS, NOW_MS
from tests.properties import examples

modes: st.SearchStrategy[Mode] = st.sampled_from(("real", "manual"))
whole_speeds = st.sampled_from([1.0, 2.0, 20.0, 1000.0])
speeds = whole_speeds | st.floats(0.001, 1_000_000)
owners = st.sampled_from(["one", "other"])
real_spans_ms = st.integers(0, 100) | st.integers(0, DAY_MS)


class ClockBesideItsModel(RuleBasedStateMachine):
    """The model: where the clock stands, and how fast it goes from there."""

    @initialize(mode=modes, speed=whole_speeds)
    def begin(self, mode: Mode, speed: float) -> None:
        self.real_ms = self.now_ms = NOW_MS
        self.clock = VirtualClock(mode, speed, NOW_MS)
        self.mode, self.speed = mode, int(speed)
        self.holder: str | None = None

    @rule(by_ms=real_spans_ms)
    def real_time_passes(self, by_ms: int) -> None:
        self.real_ms += by_ms
        if self.mode == "real" and self.holder is None:
            self.now_ms += by_ms * self.speed

    @rule(mode=modes, speed=whole_speeds)
    def it_goes_another_way(self, mode: Mode, speed: float) -> None:
        self.clock.set(mode, speed, self.real_ms)
        self.mode, self.speed = mode, int(speed)

    @rule(owner=owners)
    def it_is_held(self, owner: str) -> None:
        assert self.clock.hold(owner, self.real_ms) == (self.holder in {None, owner})
        self.holder = self.holder or owner

    @rule(owner=owners, by_ms=st.integers(-DAY_MS, DAY_MS))
    def an_owner_moves_it(self, owner: str, by_ms: int) -> None:
        is_moved = self.clock.move_to(self.now_ms + by_ms, owner)
        assert is_moved == (self.holder == owner)
        if is_moved:
            self.now_ms += max(by_ms, 0)

    @rule(owner=owners)
    def it_is_released(self, owner: str) -> None:
        self.clock.release(owner, self.real_ms)
        self.holder = None if self.holder == owner else self.holder

    @invariant()
    def it_shows_what_the_model_says(self) -> None:
        assert self.clock.now_ms(self.real_ms) == self.now_ms
        assert (self.clock.mode, self.clock.speed) == (self.mode, self.speed)
        assert self.clock.holder == self.holder

    @invariant()
    def it_waits_in_vain_while_time_stands(self) -> None:
        stands = self.mode == "manual" or self.holder is not None

        assert self.clock.real_wait_s(self.now_ms, self.real_ms) == 0
        assert (self.clock.real_wait_s(self.now_ms + 1, self.real_ms) is None) == stands


TestClockBesideItsModel = ClockBesideItsModel.TestCase
TestClockBesideItsModel.settings = examples(50)


@given(speeds, st.lists(real_spans_ms, min_size=1, max_size=20), st.data())
def test_time_never_goes_back_at_any_speed(
    speed: float, spans_ms: list[int], data: st.DataObject
) -> None:
    clock = VirtualClock("real", speed, NOW_MS)
    real_ms, seen = NOW_MS, [NOW_MS]
    for span_ms in spans_ms:
        real_ms += span_ms
        seen.append(clock.now_ms(real_ms))
        if data.draw(st.booleans()):
            clock.set(data.draw(modes), data.draw(speeds), real_ms)
            seen.append(clock.now_ms(real_ms))

    assert seen == sorted(seen)
    assert seen[-1] <= LATEST_MS


@given(speeds, real_spans_ms, st.integers(1, DAY_MS))
def test_the_instant_is_there_when_the_wait_is_over(
    speed: float, passed_ms: int, ahead_ms: int
) -> None:
    clock = VirtualClock("real", speed, NOW_MS)
    real_ms = NOW_MS + passed_ms
    instant_ms = min(clock.now_ms(real_ms) + ahead_ms, LATEST_MS)

    wait_s = clock.real_wait_s(instant_ms, real_ms)

    assert wait_s is not None
    assert clock.now_ms(real_ms + ceil(wait_s * 1000)) >= instant_ms - 1  # of rounding


@given(whole_speeds, real_spans_ms, st.integers(1, DAY_MS))
def test_the_instant_is_not_there_a_moment_before(
    speed: float, passed_ms: int, ahead_ms: int
) -> None:
    clock = VirtualClock("real", speed, NOW_MS)
    real_ms = NOW_MS + passed_ms
    instant_ms = clock.now_ms(real_ms) + ahead_ms

    wait_s = clock.real_wait_s(instant_ms, real_ms)

    assert wait_s is not None
    assert clock.now_ms(real_ms + ceil(wait_s * 1000 - 0.001) - 1) < instant_ms


@pytest.mark.parametrize("speed", [1.0, 1_000_000.0])
def test_the_calendars_end_is_never_passed(speed: float) -> None:
    clock = VirtualClock("real", speed, NOW_MS)

    assert clock.now_ms(2 * LATEST_MS) == LATEST_MS
