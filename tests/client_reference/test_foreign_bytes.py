"""Bytes that are no ASCII and no UTF-8, in places where a service may put them."""

import httpx
import pytest

from client_reference import AuthenticationError, ServerError
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import KEY, Service, accepts, raw, says


def test_a_header_that_is_no_ascii_does_not_lose_a_task(driver: Driver) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        told = accepts("task_7")(request)
        return httpx.Response(200, headers=[(b"Server", b"caf\xe9")], content=told.content)

    assert driver.client(answer).submit("a fox").id == "task_7"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_key_in_another_encoding_is_not_read(driver: Driver, encoding: str) -> None:
    said = raw(401, f'{{"message": "bad {KEY}"}}'.encode(encoding))

    with pytest.raises(AuthenticationError) as refused:
        driver.client(Service(balance=[said])).balance()

    assert KEY not in str(refused.value)


def test_the_status_decides_whether_to_repeat_whatever_the_code(driver: Driver) -> None:
    service = Service(balance=[says(50_001, status=502)])

    with pytest.raises(ServerError):
        driver.client(service).balance()

    assert len(service.requests) == 5
