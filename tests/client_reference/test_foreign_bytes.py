"""Bytes that are not ASCII or not UTF-8, wherever a service may send them."""

from collections.abc import Callable

import httpx
import pytest

from client_reference import ApixoError, AuthenticationError, Client, ServerError
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import KEY, Answer, Service, accepts, fails, raw, says, told


def test_non_ascii_response_header_does_not_lose_a_task(driver: Driver) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        told = accepts("task_7")(request)
        return httpx.Response(200, headers=[(b"Server", b"caf\xe9")], content=told.content)

    assert driver.client(answer).submit("a fox").id == "task_7"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_key_in_an_utf_16_body_is_not_shown(driver: Driver, encoding: str) -> None:
    said = raw(401, f'{{"message": "bad {KEY}"}}'.encode(encoding))

    with pytest.raises(AuthenticationError) as refused:
        driver.client(Service(balance=[said])).balance()

    assert KEY not in str(refused.value)


HALF = "\ud83e"  # of the two that make a fox in UTF-16
ASKED: dict[str, tuple[Answer, Callable[[Client], object]]] = {
    "a refusal": (says(400, {"error": HALF}, message=HALF), lambda client: client.status("task_1")),
    "another refusal": (says(400, [HALF], message="no"), lambda client: client.status("task_1")),
    "a doubt": (says(500, message=HALF), lambda client: client.submit("a fox")),
    "a failure": (fails(HALF, HALF), lambda client: client.generate("a fox")),
    "a state": (told(HALF), lambda client: client.wait("task_1")),
    "no task": (told("success", HALF), lambda client: client.status("task_1")),
    "no result": (told("success", resultJson=HALF), lambda client: client.status("task_1")),
}


@pytest.mark.parametrize(("answer", "call"), ASKED.values(), ids=ASKED)
def test_error_with_an_unpaired_surrogate_can_be_printed(
    driver: Driver, answer: Answer, call: Callable[[Client], object]
) -> None:
    submit = answer if answer is ASKED["a doubt"][0] else accepts()
    client = driver.client(Service(submit=[submit], status=[answer]))

    with pytest.raises(ApixoError) as caught:
        call(client)

    assert str(caught.value).encode()


def test_http_status_decides_on_retries_whatever_the_code(driver: Driver) -> None:
    service = Service(balance=[says(50_001, status=502)])

    with pytest.raises(ServerError):
        driver.client(service).balance()

    assert len(service.requests) == 5
