"""Wherever the network splits requests: a client cannot tell how they were served."""

from collections.abc import Callable

import pytest

from tests.mock_server.both_ways.conversation import PROMPT, Conversation
from tests.mock_server.both_ways.twins import Twins
from tests.mock_server.e2e.api import SUBMIT

Make = Callable[[Conversation], bytes]

CHUNKED = b"5\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (
    PROMPT[:5],
    len(PROMPT) - 5,
    PROMPT[5:],
)


def submit(t: Conversation) -> bytes:
    return t.submit()


def status(t: Conversation) -> bytes:
    return t.status("unknown", "Connection: keep-alive")


def submit_in_chunks(t: Conversation) -> bytes:
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    return t.request(f"POST {SUBMIT} HTTP/1.1", *headers) + CHUNKED


def submit_with_an_upgrade(t: Conversation) -> bytes:
    return t.submit("Connection: upgrade", "Upgrade: h2c")


def submit_that_expects(t: Conversation) -> bytes:
    return t.submit("Expect: 100-continue")


def two_requests(t: Conversation) -> bytes:
    return t.submit() + t.balance()


def an_odd_and_a_usual_request(t: Conversation) -> bytes:
    return b"\r\n" + t.submit().replace(b"POST", b"PUT") + t.status()


SINGLE = [submit, status, submit_in_chunks, submit_with_an_upgrade, submit_that_expects]
SEVERAL = [two_requests, an_odd_and_a_usual_request]


@pytest.mark.parametrize("make", SINGLE)
def test_every_request_can_be_split_at_every_byte(twins: Twins, make: Make) -> None:
    """Also the request behind it, which is whole, is served as usual."""
    cuts = 0

    def talk(t: Conversation) -> None:
        nonlocal cuts
        request = make(t)
        cuts = len(request) - 1
        for cut in range(1, len(request)):
            t.send(request[:cut])
            t.settle()
            t.send(request[cut:])
            t.settle()
            t.send(t.balance())

    outcome, direct = twins.compare(talk)

    assert outcome.statuses.count(200) + outcome.statuses.count(404) >= 2 * cuts
    assert direct >= cuts  # More, if the head is whole: the direct path waits for a short body.


@pytest.mark.parametrize("make", SEVERAL)
def test_pipelined_requests_can_be_split_at_every_byte(twins: Twins, make: Make) -> None:
    cuts = 0

    def talk(t: Conversation) -> None:
        nonlocal cuts
        requests = make(t)
        cuts = len(requests) - 1
        for cut in range(1, len(requests)):
            t.send(requests[:cut], requests[cut:])
            t.settle()
            t.send(t.balance())

    outcome, direct = twins.compare(talk)

    assert len(outcome.statuses) == 3 * cuts
    assert direct >= cuts


@pytest.mark.parametrize("make", [*SINGLE, *SEVERAL])
def test_requests_can_arrive_byte_by_byte(twins: Twins, make: Make) -> None:
    def talk(t: Conversation) -> None:
        requests = make(t)
        t.send(*[requests[at : at + 1] for at in range(len(requests))])

    outcome, direct = twins.compare(talk)

    assert set(outcome.statuses) <= {100, 200, 404, 405}
    assert direct == 0
