"""Durations come back as they were written, in milliseconds; anything else says its form."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.durations import FORM, MAX_MS, duration_ms

UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "": 1000}


@given(st.sampled_from(list(UNITS_MS.items())), st.integers(0, MAX_MS), st.sampled_from(["", " "]))
def test_a_number_with_its_unit_comes_back(
    unit: tuple[str, int], milliseconds: int, blank: str
) -> None:
    name, unit_ms = unit
    number = milliseconds // unit_ms

    assert duration_ms(f"{blank}{number}{blank}{name}{blank}") == number * unit_ms


@given(st.integers(0, MAX_MS))
def test_seconds_with_three_decimals_come_back_written_or_as_a_number(milliseconds: int) -> None:
    seconds = f"{milliseconds // 1000}.{milliseconds % 1000:03}"

    assert duration_ms(seconds) == duration_ms(float(seconds)) == milliseconds


@given(st.integers(0, MAX_MS // 1000))
def test_a_whole_number_counts_seconds(seconds: int) -> None:
    assert duration_ms(seconds) == seconds * 1000


@pytest.mark.parametrize(
    "value",
    [
        True, None, [], {}, b"2s", -1, -0.001, math.nan, math.inf, -math.inf, MAX_MS, 10**400,
        "", " ", "s", "-1s", "+1s", "1e3", "0x10", ".5", "1.", "2 s s", "2S", "2 sec", "1,5",
        "nan", "inf", "36500d1", "36501d", "1" * 400,
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_anything_else_says_what_a_duration_looks_like(value: object) -> None:
    with pytest.raises(ValueError, match=f"^{FORM}"):
        duration_ms(value)


@given(st.text(max_size=20) | st.floats() | st.integers() | st.from_regex(r"\d+(\.\d+)?[a-z]*"))
def test_any_value_gives_a_sane_duration_or_a_value_error(value: object) -> None:
    with suppress(ValueError):
        milliseconds = duration_ms(value)

        assert isinstance(milliseconds, int)
        assert 0 <= milliseconds <= MAX_MS


def test_the_longest_duration_is_a_century() -> None:
    assert duration_ms("36500d") == MAX_MS
