"""A receiver that does not answer holds up whoever waits for it, and nobody else."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Receiver


@pytest.fixture
def advance(api: Api, receiver: Receiver) -> Iterator[Future[httpx.Response]]:
    """Move the clock past a delivery that hangs, in a thread of its own."""
    gate = receiver.block()
    api.submit("[[mock pending=0 processing=5s]]", callback_url=receiver.url())
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(api.control, "POST", "clock/advance", {"seconds": 60})
        gate.set()


def test_the_sandbox_can_be_dropped_meanwhile(
    api: Api, receiver: Receiver, advance: Future[httpx.Response]
) -> None:
    receiver.wait_for(1)

    assert api.control("DELETE", "sandbox").status_code == 204
    assert advance.result().status_code == 409
    assert "deleted" in advance.result().json()["data"]["error"]


def test_the_new_sandbox_has_a_clock_of_its_own(
    api: Api, receiver: Receiver, advance: Future[httpx.Response]
) -> None:
    receiver.wait_for(1)
    api.control("DELETE", "sandbox")
    advance.result()
    began_ms = api.now_ms()
    api.advance(7)

    assert api.now_ms() == began_ms + 7_000
    assert api.deliveries() == []


def test_the_clock_can_be_set_meanwhile(
    api: Api, receiver: Receiver, advance: Future[httpx.Response]
) -> None:
    receiver.wait_for(1)
    before_ms = api.now_ms()

    assert api.told("PUT", "clock", {"speed": 3})["now_ms"] == before_ms
    assert not advance.done()


def test_two_advances_of_one_sandbox_take_turns(
    api: Api, receiver: Receiver, advance: Future[httpx.Response]
) -> None:
    receiver.wait_for(1)
    with ThreadPoolExecutor(1) as thread:
        second = thread.submit(api.told, "POST", "clock/advance", {"seconds": 1})
        api.status(api.submit())  # goes on meanwhile
        receiver.close_gates()
        first = advance.result().json()

    assert second.result()["from_ms"] == first["now_ms"]
