"""No repr, log line or exception contains the API key, whatever the service responds."""

import json
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from threading import Thread

import httpx
import pytest

from client_reference import (
    AsyncClient,
    AuthenticationError,
    Client,
    InvalidRequest,
    UnexpectedResponse,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import KEY, Answer, Parts, Service, breaks, raw, says

MAX_ANSWER = 16 * 1024 * 1024
ECHO = f"Bearer {KEY} is not welcome"
HEADERS = {"X-Echo": ECHO, "Location": f"http://elsewhere.test/{KEY}"}
KEYS = [
    pytest.param(KEY, id="a common key"),
    pytest.param("sk/with+odd=signs/7f3a", id="a key of odd signs"),
    pytest.param('k"ey\\with(all)[the]{signs}', id="a key that JSON escapes"),
    pytest.param("my/key", id="a short key"),
]
ESCAPED: dict[str, Callable[[str], str]] = {
    "as usual": str,
    "slashes escaped": lambda text: text.replace("/", r"\/"),
    "slashes as numbers": lambda text: text.replace("/", r"\u002F"),
}


def echoing(status: int, headers: dict[str, str] | None = None) -> Answer:
    return says(status, {"error": ECHO}, message=ECHO, headers=headers or {})


def endless(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Parts(ECHO.encode(), b" " * MAX_ANSWER))


ANSWERS: dict[str, Answer] = {
    **{f"{code} with the key": echoing(code, HEADERS) for code in (400, 401, 402, 404, 429, 503)},
    "the key in HTML": raw(502, f"<html>{ECHO}</html>".encode()),
    "the key in what is no JSON": raw(200, ECHO.encode(), HEADERS),
    "the key in a redirect": raw(302, ECHO.encode(), HEADERS),
    "the key in another data": says(400, {"request": {"headers": {"Authorization": ECHO}}}),
    "the key in a state": says(200, {"taskId": 1, "state": {"state": ECHO}}),
    "the key in an endless body": endless,
    "the key in a broken connection": breaks(httpx.RemoteProtocolError, ECHO),
    "the key in a failed connection": breaks(httpx.ConnectError, ECHO),
    "the key in a timeout": breaks(httpx.ReadTimeout, ECHO),
    "the key in bad gzip": raw(200, ECHO.encode(), {"Content-Encoding": "gzip", **HEADERS}),
}
CALLS: dict[str, Callable[[Client], object]] = {
    "submit": lambda client: client.submit("a fox"),
    "status": lambda client: client.status("task_1"),
    "generate_many": lambda client: _raise(next(client.generate_many(["a fox"])).error),
}


def _raise(error: Exception | None) -> None:
    assert error is not None
    raise error


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if error.__context__ is not error.__cause__ and error.__context__ is not None:
            yield from chain(error.__context__)
        error = error.__cause__


def everything_told_by(error: BaseException) -> str:
    """Return all that a log, a crash report or a debugger might show of an exception."""
    told = ["".join(traceback.format_exception(error))]
    for one in chain(error):
        told += [str(one), repr(one), repr(one.args), repr(one.__dict__), repr(vars(one))]
        told += [str(note) for note in getattr(one, "__notes__", ())]
        response = getattr(one, "response", None)
        if response is not None:
            told += [response.text, repr(response.headers.raw), repr(vars(response))]
            with pytest.raises(RuntimeError, match="request"):
                _ = response.request
    return "\n".join(told)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_exception_and_no_log_line_contains_the_key(
    driver: Driver,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    call: Callable[[Client], object],
) -> None:
    caplog.set_level(logging.DEBUG)
    client = driver.client(Service(submit=[answer], status=[answer]), max_retries=1)

    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it is
        call(client)

    assert KEY not in everything_told_by(caught.value)
    assert KEY not in caplog.text
    assert KEY not in repr([vars(record) for record in caplog.records])
    assert "client_reference" in {record.name for record in caplog.records}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("escaped", ESCAPED.values(), ids=ESCAPED)
@pytest.mark.parametrize("before", ["", " ", "\n", "\t", "é", "key="])
def test_key_is_redacted_however_json_spells_it(
    driver: Driver, key: str, before: str, escaped: Callable[[str], str]
) -> None:
    body = escaped(json.dumps({"code": 401, "message": f"{before}{key} is wrong", "data": None}))
    client = driver.client(Service(balance=[raw(401, body.encode())]), api_key=key)

    with pytest.raises(AuthenticationError) as caught:
        client.balance()

    assert caught.value.message == f"{before}[api key] is wrong"
    assert key not in everything_told_by(caught.value)


def test_key_is_redacted_in_a_url(driver: Driver) -> None:
    answer = raw(302, b"", {"Location": "http://elsewhere.test/?key=sk%2fwith%2Bodd%3dsigns"})
    client = driver.client(Service(balance=[answer]), api_key="sk/with+odd=signs")

    with pytest.raises(UnexpectedResponse) as caught:
        client.balance()

    assert caught.value.response is not None
    assert caught.value.response.headers["Location"] == "http://elsewhere.test/?key=[api key]"


def test_long_key_is_redacted_inside_a_word(driver: Driver) -> None:
    client = driver.client(Service(balance=[says(400, message=f"wrong{KEY}wrong")]))

    with pytest.raises(InvalidRequest, match=r"wrong\[api key\]wrong"):
        client.balance()


def test_key_is_redacted_in_successful_responses(driver: Driver) -> None:
    answer = says(200, {"taskId": "task_1", "state": "processing", "who": [KEY], KEY: 1})

    task = driver.client(Service(status=[answer])).status("task_1")

    assert KEY not in repr(task)
    assert task.extra == {"who": ["[api key]"], "[api key]": 1}


def test_short_key_inside_a_longer_word_is_not_redacted(driver: Driver) -> None:
    answer = says(200, {"taskId": "task_1", "state": "my-key-processing"})

    task = driver.client(Service(status=[answer]), api_key="my-key").status("task_1")

    assert task.state == "my-key-processing"


def test_very_short_key_is_not_redacted(driver: Driver) -> None:
    answer = says(200, {"taskId": "task_1", "state": "a fox"})

    assert driver.client(Service(status=[answer]), api_key="fox").status("task_1").state == "a fox"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_no_repr_of_a_client_contains_the_key(
    kind: type[Client] | type[AsyncClient],
) -> None:
    client = kind(KEY, "http://service.test")

    assert KEY not in repr(client)
    assert "service.test" in repr(client)
    assert not any(KEY in repr(part) for part in vars(client).values())
    assert KEY not in repr(client._connection.api_key)


def test_invalid_key_is_not_shown(driver: Driver) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        driver.client(Service(), api_key=f"{KEY} with spaces")

    assert KEY not in everything_told_by(caught.value)


def test_real_connection_logs_no_key(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """Here the loggers of httpx and httpcore have their say too."""
    caplog.set_level(logging.DEBUG)
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def answer_one() -> None:
        connection, _ = listener.accept()
        with connection:
            seen.append(connection.recv(65536))
            body = json.dumps({"code": 401, "message": ECHO, "data": None}).encode()
            connection.sendall(
                b"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )

    server = Thread(target=answer_one)
    server.start()
    with pytest.raises(Exception, match=r"\[api key\]") as caught:
        driver.over(None, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}").balance()
    server.join()
    listener.close()

    assert KEY.encode() in seen[0]
    assert KEY not in everything_told_by(caught.value)
    assert KEY not in repr([vars(record) for record in caplog.records])
    assert {"httpx", "client_reference"} <= {record.name for record in caplog.records}
    assert any(record.name.startswith("httpcore") for record in caplog.records)
