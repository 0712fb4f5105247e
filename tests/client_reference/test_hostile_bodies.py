"""No response fills the memory or the disk, whatever it says about its body."""

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApixoError,
    AuthenticationError,
    Client,
    InvalidRequest,
    RateLimited,
    ServerError,
    TransportError,
    UnexpectedResponse,
    image_files,
    part_file,
)
from tests.client_reference.driver import Driver
from tests.client_reference.listening import listening
from tests.client_reference.pictures import PNG, generation, gives
from tests.client_reference.scripted import (
    RESULT_URL,
    Answer,
    Parts,
    Service,
    accepts,
    raw,
    responding,
    result_json,
    says,
    succeeds,
    told,
)

DECODED = 128 * 1024 * 1024
MEMORY_MAX = 16 * 1024 * 1024


@cache
def bomb(codings: str) -> bytes:
    body = bytes(DECODED)
    for coding in codings.split(", "):
        body = gzip.compress(body, 1) if coding == "gzip" else zlib.compress(body, 1)
    return body


def sends(codings: str, body: bytes | None = None, status: int = 200) -> Answer:
    """Send a body with its content coding over a connection; by default a decompression bomb."""
    content = bomb(codings) if body is None else body
    headers = {"Content-Encoding": codings, "Content-Type": "image/png"}
    return lambda request: httpx.Response(status, headers=headers, stream=Parts(content))


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY_MAX
    finally:
        tracemalloc.stop()


CODINGS = ["gzip", "deflate", "gzip, gzip", "gzip, deflate", "gzip, gzip, gzip"]


@pytest.mark.parametrize("codings", CODINGS)
def test_small_body_cannot_become_a_large_one(driver: Driver, codings: str) -> None:
    client = driver.client(responding(sends(codings)), max_retries=0)
    bomb(codings)

    with little_memory(), pytest.raises(UnexpectedResponse):
        client.balance()


@pytest.mark.parametrize("codings", CODINGS)
def test_error_page_that_cannot_be_read_counts_by_its_status(driver: Driver, codings: str) -> None:
    kinds = {401: AuthenticationError, 400: InvalidRequest, 503: ServerError}
    bomb(codings)

    for status, kind in kinds.items():
        client = driver.client(responding(sends(codings, status=status)), max_retries=0)
        with little_memory(), pytest.raises(kind):
            client.balance()


@pytest.mark.parametrize("codings", CODINGS)
def test_small_picture_cannot_become_a_large_file(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codings: str
) -> None:
    monkeypatch.setattr(part_file, "_SIZE_MAX", 1024 * 1024)
    answer = sends(codings)
    bomb(codings)

    with little_memory(), pytest.raises(UnexpectedResponse):
        driver.client(Service(result=[answer])).download(generation(), tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "identity, gzip"])
def test_gzip_is_decoded(driver: Driver, tmp_path: Path, coding: str) -> None:
    body = gzip.compress(b'{"code": 200, "data": 74.87}')
    picture = sends(coding, gzip.compress(PNG))
    client = driver.client(Service(balance=[sends(coding, body)], result=[picture]))

    (file,) = client.download(generation(), tmp_path)

    assert float(client.balance()) == 74.87
    assert file.read_bytes() == PNG


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_gzip_may_arrive_in_any_parts(driver: Driver, body: bytes, cuts: list[int]) -> None:
    sent = gzip.compress(b'{"code": 200, "data": 1, "x": "' + body.hex().encode() + b'"}')
    parts = [sent[start:end] for start, end in pairwise([0, *sorted(cuts), len(sent)])]
    client = driver.client(
        lambda request: httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=Parts(*parts)
        )
    )

    assert client.balance() == 1


def test_only_gzip_is_requested(driver: Driver) -> None:
    service = Service(balance=[says(200, 1)])

    driver.client(service).balance()

    assert service.requests[0].headers["Accept-Encoding"] == "gzip"


def test_truncated_gzip_is_unexpected(driver: Driver) -> None:
    answer = sends("gzip", gzip.compress(b"{}" * 999)[:-9])

    with pytest.raises(UnexpectedResponse, match="truncated gzip"):
        driver.client(responding(answer), max_retries=0).balance()


class Lazy(Parts):
    """A body that is made while it is read."""

    def __init__(self, parts: Callable[[], Iterator[bytes]]) -> None:
        super().__init__()
        self._make = parts

    def __iter__(self) -> Iterator[bytes]:
        return self._make()


def test_endless_error_page_is_not_read(driver: Driver) -> None:
    sent: list[int] = []

    def parts() -> Iterator[bytes]:
        for number in range(10_000):
            sent.append(number)
            yield bytes(65536)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, stream=Lazy(parts))

    with pytest.raises(ServerError):
        driver.client(answer, max_retries=0).balance()

    assert len(sent) < 100


def test_png_that_states_four_gigabytes_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "1.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffIDAT" + bytes(1000))

    with little_memory():
        assert not image_files.is_complete(file)


def test_png_with_very_many_chunks_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "1.png"
    empty = b"\0\0\0\0IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big")
    end = b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + empty * 100_000 + end)

    assert not image_files.is_complete(file)


def urls(number: int) -> list[str]:
    return [f"{RESULT_URL}?{each}" for each in range(number)]


@pytest.mark.parametrize("number", [5, 1000])
def test_no_task_has_more_than_four_results(driver: Driver, number: int) -> None:
    answer = told("success", resultJson=result_json(*urls(number)))

    with pytest.raises(UnexpectedResponse, match=f"has {number} result URLs; .* at most 4"):
        driver.client(responding(answer)).status("task_1")


@pytest.mark.parametrize(("wanted", "number"), [(1, 2), (1, 4), (2, 3)])
def test_result_that_was_not_requested_is_unexpected(
    driver: Driver, wanted: int, number: int
) -> None:
    answer = told("success", resultJson=result_json(*urls(number)))
    client = driver.client(Service(submit=[accepts()], status=[answer]))

    with pytest.raises(UnexpectedResponse, match=f"{number} result URLs for num_images") as caught:
        client.generate("a fox", num_images=wanted)
    (result,) = client.generate_many(["a fox"], num_images=wanted)

    assert caught.value.task is not None
    assert len(caught.value.task.result_urls) == number
    assert isinstance(result.error, UnexpectedResponse)


def test_task_with_fewer_results_is_a_result(driver: Driver) -> None:
    client = driver.client(Service(submit=[accepts()], status=[succeeds()]))

    assert len(client.generate("a fox", num_images=4).urls) == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (told("failed", costTime=10**400), "data.costTime is out of range"),
        (told("pending", createTime=-(2**63)), "data.createTime is out of range"),
        (told("x" * 100_000), "data.state is longer than"),
        (told("pending", "t" * 100_000), "data.taskId is longer than"),
    ],
)
def test_values_that_no_program_can_use_are_unexpected(
    driver: Driver, answer: Answer, problem: str
) -> None:
    with pytest.raises(UnexpectedResponse, match=problem):
        driver.client(responding(answer)).status("task_1")


@pytest.mark.parametrize("text", ["1e999999", "1e-999999", "0e-999999999", "9" * 101])
def test_balance_of_a_million_digits_is_unexpected(driver: Driver, text: str) -> None:
    answer = raw(200, b'{"code": 200, "data": ' + text.encode() + b"}")

    with pytest.raises(UnexpectedResponse, match="data is out of range"):
        driver.client(responding(answer)).balance()


def test_error_shows_only_the_start_of_a_long_text(driver: Driver) -> None:
    answer = says(400, {"error": "x" * 500_000}, message="y" * 500_000)

    with pytest.raises(InvalidRequest) as caught:
        driver.client(responding(answer)).balance()

    assert len(str(caught.value)) < 2100
    assert len(caught.value.message) == 500_000


def test_cookies_of_a_server_do_not_accumulate(driver: Driver) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Cookie"))
        return says(200, 1, headers={"Set-Cookie": f"c{len(seen)}={'x' * 1000}"})(request)

    seen: list[str | None] = []
    client = driver.client(answer)

    for _ in range(3):
        client.balance()

    assert seen == [None] * 3


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n"
WIRE = HEAD + b'{"code": 200, "message": "", "data": 1.5}'
LIES: dict[str, bytes] = {
    "longer than stated": WIRE + b"}}}}",
    "shorter than stated": WIRE[:-3],
    "a negative length": WIRE.replace(b"41", b"-1"),
    "a length of 10,000 digits": WIRE.replace(b"41", b"9" * 10_000),
    "two lengths": WIRE.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n"),
    "a length and chunks": WIRE.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a chunk of 10,000 digits": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"F" * 10_000,
    "headers of a megabyte": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000,
    "100,000 headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    "an unknown status": WIRE.replace(b"200 OK", b"999 So"),
    "no status": WIRE.replace(b"200 OK", b"OK"),
    "a status of 10,000 digits": WIRE.replace(b"200 OK", b"2" * 10_000),
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "interim responses": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000,
    "bytes that are no text": bytes(range(256)) * 10,
}


ERRORS = {TransportError, UnexpectedResponse}


class Liar:
    """A server that sends the same bytes to each connection."""

    def __init__(self) -> None:
        self.sent = b""

    def answer(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(self.sent)


@pytest.fixture(scope="module")
def liar() -> Liar:
    return Liar()


@pytest.fixture(scope="module")
def client(driver: Driver, liar: Liar) -> Iterator[Client]:
    """Share a client of the server, because creating one takes longer than a request."""
    with listening(liar.answer) as port:
        client = driver.over(None, base_url=f"http://127.0.0.1:{port}", max_retries=0)
        with closing(client):
            yield client


def outcome(client: Client) -> object:
    try:
        return client.balance()
    except ApixoError as error:
        return type(error)


@pytest.mark.parametrize("lie", LIES)
def test_response_with_a_false_statement_is_a_client_error(
    client: Client, liar: Liar, lie: str
) -> None:
    liar.sent = LIES[lie]

    with little_memory():
        found = outcome(client)

    assert found == 1.5 if lie == "longer than stated" else found in ERRORS


@given(
    start=st.integers(0, len(WIRE)),
    removed=st.integers(0, 20),
    added=st.binary(max_size=20) | st.sampled_from([b"\r\n", b"\0", b"9" * 5000, b"[" * 5000]),
)
def test_damaged_response_is_a_value_or_a_client_error(
    client: Client, liar: Liar, start: int, removed: int, added: bytes
) -> None:
    liar.sent = WIRE[:start] + added + WIRE[start + removed :]

    assert outcome(client) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "," * 60_000},
        {"Retry-After": "Mon, 01 Jan 0001 00:00:00 +2359," * 1800},
        {"Retry-After": "9" * 60_000, "Date": "0" * 60_000},
    ],
)
def test_long_retry_after_counts_as_none(driver: Driver, headers: dict[str, str]) -> None:
    client = driver.client(responding(says(429, headers=headers)), max_retries=0)

    with pytest.raises(RateLimited) as caught:
        client.balance()

    assert caught.value.retry_after is None


def test_content_range_of_5000_digits_is_not_the_requested_part(
    driver: Driver, tmp_path: Path
) -> None:
    headers = {"Content-Range": f"bytes {'9' * 5000}-1/2"}
    client = driver.client(Service(result=[gives(PNG, status=206, headers=headers)]), max_retries=0)

    with pytest.raises(TransportError, match="not the requested part"):
        client.download(generation(), tmp_path)


def test_picture_with_a_wrong_length_is_an_error(driver: Driver, tmp_path: Path) -> None:
    answer = gives(PNG, headers={"Content-Length": "9" * 30})

    (file,) = driver.client(Service(result=[answer])).download(generation(), tmp_path)

    assert file.read_bytes() == PNG
