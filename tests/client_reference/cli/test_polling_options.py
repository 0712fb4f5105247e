"""`--poll-after` and `--poll-every` set the pauses between status requests."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import Polling, WaitTimeout
from client_reference.polling import choose_polling
from tests.client_reference.cli.conftest import Call, scripted
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import Service, VirtualTime, accepts, succeeds, told

FAST = ("--poll-after", "0.5", "--poll-every", "0.25")


def service() -> Service:
    return Service(submit=[accepts()], status=[told("processing")] * 3 + [succeeds()])


def test_generate_polls_as_the_options_say(call: Call) -> None:
    time = VirtualTime()

    ended = call("generate", "a fox", *FAST, client=scripted(service(), time))

    assert (ended.status, time.pauses) == (0, [0.5, 0.25, 0.25, 0.25])


def test_generate_polls_as_the_service_advises_by_default(call: Call) -> None:
    time = VirtualTime()

    ended = call("generate", "a fox", client=scripted(service(), time))

    assert (ended.status, time.pauses) == (0, [20, 3, 3, 3])


def test_wait_polls_at_once_and_then_as_the_option_says(call: Call) -> None:
    time = VirtualTime()

    ended = call("wait", "task_1", "--poll-every", "7", client=scripted(service(), time))

    assert (ended.status, time.pauses) == (0, [7, 7, 7])


def test_chosen_pause_does_not_grow_with_the_age_of_the_task(
    driver: Driver, time: VirtualTime
) -> None:
    endless = Service(submit=[accepts()], status=[told("processing")])
    client = driver.client(endless, time, poll_after_s=0, poll_every_s=20)

    with pytest.raises(WaitTimeout):
        client.generate("a fox", timeout=100)

    assert time.pauses == [20, 20, 20, 20, 20]


@given(after_s=st.floats(0, 1e9), every_s=st.floats(1e-3, 1e9), age_s=st.floats(0, 1e6))
def test_both_options_decide_every_pause(after_s: float, every_s: float, age_s: float) -> None:
    polling = choose_polling(None, after_s, every_s)

    assert polling.first_pause_s(0.0) == after_s
    assert polling.next_pause_s(every_s, age_s) == every_s


def test_first_pause_alone_leaves_the_others_as_advised() -> None:
    assert choose_polling(None, 1.0, None) == Polling(first_s=1.0)
    assert choose_polling(None, None, None) == Polling()


@pytest.mark.parametrize("option", ["poll_after_s", "poll_every_s"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1", True, 1e10])
def test_invalid_pause_is_rejected_by_name(driver: Driver, option: str, value: object) -> None:
    options: dict[str, Any] = {option: value}

    with pytest.raises(ValueError, match=rf"^{option}: must be a number of seconds"):
        driver.client(service(), **options)


@pytest.mark.parametrize("option", ["poll_after_s", "poll_every_s"])
def test_pause_beside_a_schedule_is_rejected(driver: Driver, option: str) -> None:
    options: dict[str, Any] = {option: 1}

    with pytest.raises(ValueError, match=rf"^{option}: cannot be combined with polling"):
        driver.client(service(), polling=Polling(), **options)
