"""The pauses between status requests, and the parsing of `Retry-After`."""

from collections.abc import Mapping
from email.utils import formatdate

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import Polling
from client_reference.retry_after import retry_after_s
from client_reference.timeline import Timeline

NOW_S = 1_800_000_000.0
seconds = st.integers(0, 10**6)
a_day_off = st.integers(-86_400, 86_400)


def date(at_s: float) -> str:
    return formatdate(at_s, usegmt=True)


def read(headers: Mapping[str, str]) -> float | None:
    return retry_after_s(httpx.Headers(headers), NOW_S)


def test_default_polling_follows_the_providers_advice() -> None:
    polling = Polling()

    assert polling.first_pause_s(0.0) == 20
    assert polling.next_pause_s(20.0, 20.0) == polling.next_pause_s(3.0, 29.9) == 3


@given(age_s=st.floats(0, 1000))
def test_first_status_request_is_sent_at_the_advised_age(age_s: float) -> None:
    assert age_s + Polling().first_pause_s(age_s) == pytest.approx(max(20, age_s))


@given(age_s=st.floats(-1e9, 0))
def test_negative_age_does_not_extend_the_first_pause(age_s: float) -> None:
    assert Polling().first_pause_s(age_s) == 20


def test_unknown_age_means_no_first_pause() -> None:
    assert Polling().first_pause_s(None) == 0


@given(
    every_s=st.floats(0.1, 10),
    growth=st.floats(1, 3),
    more_s=st.floats(0, 60),
    ages_s=st.lists(st.floats(0, 300), min_size=1, max_size=30).map(sorted),
)
def test_pauses_grow_after_the_usual_duration_up_to_a_maximum(
    every_s: float, growth: float, more_s: float, ages_s: list[float]
) -> None:
    polling = Polling(every_s=every_s, growth=growth, max_s=every_s + more_s)
    pause_s = every_s
    for age_s in ages_s:
        before_s, pause_s = pause_s, polling.next_pause_s(pause_s, age_s)
        if age_s < polling.usual_s:
            assert pause_s == every_s
        else:
            assert before_s <= pause_s <= polling.max_s
            assert pause_s == pytest.approx(min(before_s * growth, polling.max_s))


@pytest.mark.parametrize("field", ["first_s", "every_s", "usual_s", "growth", "max_s"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "3", None])
def test_invalid_polling_value_is_rejected_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"polling\.{field}"):
        Polling(**{field: value})  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("values", [{"every_s": 0}, {"growth": 0.5}, {"every_s": 5, "max_s": 4}])
def test_polling_without_pauses_is_rejected(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="every_s > 0"):
        Polling(**values)


@given(seconds=seconds)
def test_retry_after_in_seconds_is_used_as_is(seconds: int) -> None:
    assert read({"Retry-After": f" {seconds} "}) == seconds


@given(ahead_s=seconds, is_off_by_s=a_day_off)
def test_retry_after_date_is_relative_to_the_date_header(ahead_s: int, is_off_by_s: int) -> None:
    theirs_s = NOW_S + is_off_by_s

    assert read({"Retry-After": date(theirs_s + ahead_s), "Date": date(theirs_s)}) == ahead_s


@given(ahead_s=st.integers(-1000, 10**6), garbage=st.sampled_from([{}, {"Date": "today"}]))
def test_retry_after_date_without_date_header_is_relative_to_our_clock(
    ahead_s: int, garbage: Mapping[str, str]
) -> None:
    assert read({"Retry-After": date(NOW_S + ahead_s), **garbage}) == max(0, ahead_s)


def test_retry_after_before_the_date_header_is_relative_to_our_clock() -> None:
    headers = {"Retry-After": date(NOW_S + 30), "Date": date(NOW_S + 40)}

    assert read(headers) == 30


@pytest.mark.parametrize("zone", ["GMT", "UTC", "+0000", "-0000", ""])
def test_retry_after_date_is_gmt_however_it_is_written(zone: str) -> None:
    text = date(NOW_S + 60).replace("GMT", zone)

    assert read({"Retry-After": text}) == 60


@given(waits_s=st.lists(st.integers(0, 9000), min_size=1, max_size=4), data=st.data())
def test_longest_valid_retry_after_counts(waits_s: list[int], data: st.DataObject) -> None:
    written = [data.draw(st.sampled_from([str(each), date(NOW_S + each)])) for each in waits_s]
    values = data.draw(st.permutations([*written, "soon", "-1", ""]))

    separate = httpx.Headers([("Retry-After", value) for value in values])

    assert retry_after_s(separate, NOW_S) == max(waits_s)
    assert read({"Retry-After": ", ".join(values)}) == max(waits_s)


def test_missing_retry_after_is_none() -> None:
    assert read({}) is None


@given(value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_any_retry_after_is_a_wait_or_none(value: str) -> None:
    waits_s = read({"Retry-After": value, "Date": value})

    assert waits_s is None or 0 <= waits_s < float("inf")


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Wed, 99 Nov 2026 10:00:00 GMT",
        "1e999",
        "-1",
        "nan",
    ],
)
def test_extreme_retry_after_is_a_finite_wait_or_none(value: str) -> None:
    waits_s = read({"Retry-After": value})

    assert waits_s is None or 0 <= waits_s < 1e12


@given(readings=st.lists(st.floats(0, 1e6), min_size=1), pauses=st.lists(st.floats(0, 100)))
def test_timeline_never_goes_back_and_counts_sleeps(
    readings: list[float], pauses: list[float]
) -> None:
    left = iter(readings)
    timeline = Timeline(lambda: next(left, 0.0))
    for pause_s in pauses:
        before_s = timeline.now_s()
        list(timeline.sleep(pause_s))

        assert timeline.now_s() >= before_s + pause_s
