"""Repeated warnings become one line with a count, and no warning is missing from the counts."""

import logging
import re
import signal
from collections import Counter
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from mock_server.log_repeats import MAX_TEXTS, WINDOW_S, RepeatedWarnings
from mock_server.testing.receiver import CallbackReceiver
from tests.mock_server.cli.commands import started
from tests.mock_server.e2e.api import SUBMIT


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def record(text: str, error: Exception | None = None, **extra: str) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "mock", "levelno": logging.WARNING, "msg": text} | extra)
    if error is not None:
        made.exc_info = (type(error), error, None)
    return made


def counted(summary: logging.LogRecord) -> dict[str, int]:
    """Return the number of repetitions in a summary, by their text."""
    message = summary.getMessage()
    count, _, text = message.partition(f" more within {WINDOW_S:g} s: ")
    return {text: int(count)}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, WINDOW_S))))
def test_every_warning_is_logged_or_counted_and_none_is_logged_twice_in_a_window(
    told: list[tuple[str, float]],
) -> None:
    clock = Clock()
    repeated = RepeatedWarnings(clock)
    seen: Counter[str] = Counter()
    logged_s: dict[str, float] = {}

    def log(text: str, count: int) -> None:
        assert clock.now_s - logged_s.get(text, -WINDOW_S) >= WINDOW_S - 1e-6
        logged_s[text] = clock.now_s
        seen[text] += count

    for text, pause_s in told:
        clock.now_s += pause_s
        for summary in repeated.due()[0]:
            for each, count in counted(summary).items():
                log(each, count)
        if repeated.admits(record(text)):
            log(text, 1)
    for summary in repeated.rest():
        seen.update(counted(summary))

    assert seen == Counter(text for text, _ in told)
    assert repeated.due() == ([], None)


def test_next_summary_is_due_at_the_end_of_the_first_window() -> None:
    clock = Clock()
    repeated = RepeatedWarnings(clock)
    assert repeated.admits(record("a"))
    clock.now_s = 4.0
    assert repeated.admits(record("b"))

    assert repeated.due() == ([], WINDOW_S - 4.0)


def test_warnings_with_equal_summaries_are_equal_and_other_errors_are_not() -> None:
    repeated = RepeatedWarnings()

    admitted = [
        repeated.admits(each)
        for each in (
            record("task 1 failed", summary="a task failed"),
            record("task 2 failed", summary="a task failed"),
            record("a request failed", ValueError("one")),
            record("a request failed", ValueError("two")),
            record("a request failed", KeyError("two")),
            record("a request failed", KeyError("two")),
        )
    ]

    assert admitted == [True, False, True, True, True, False]


def test_number_of_remembered_texts_is_limited_and_further_ones_are_logged() -> None:
    repeated = RepeatedWarnings()
    for number in range(MAX_TEXTS):
        repeated.admits(record(str(number)))

    assert [repeated.admits(record("one more")) for _ in range(2)] == [True, True]
    assert [repeated.admits(record("0"))] == [False]


def test_failing_callbacks_of_one_receiver_are_a_few_lines_and_another_one_stays_visible() -> None:
    with (
        CallbackReceiver.listening() as failing,
        CallbackReceiver.listening() as other,
        started("--clock", "manual", "--rate-limit", "1000", "--max-concurrent", "1000") as server,
    ):
        failing.status, other.status = 500, 503
        for receiver, count in ((failing, 100), (other, 1)):
            for _ in range(count):
                hook = {"request_type": "callback", "callback_url": f"{receiver.url}?secret=1"}
                prompt = "[[mock pending=0 processing=0]] a fox"
                server.post(SUBMIT, hook | {"input": {"prompt": prompt}})
        server.post("/_mock/clock/advance", {"seconds": 600})
        _, _, log = server.stop(signal.SIGTERM)

    lines = [line for line in log.splitlines() if "callback attempt 1 " in line]
    failures = [line for line in lines if line.endswith("status 500")]
    counts = [int(found[1]) for line in failures if (found := re.search(r"(\d+) more", line))]
    assert len(failures) < 10
    assert len(failures) - len(counts) + sum(counts) == 100
    assert sum(line.endswith("status 503") for line in lines) == 1
    assert f"callback attempt 1 to {urlsplit(failing.url).netloc} failed" in log
    assert "secret" not in log
