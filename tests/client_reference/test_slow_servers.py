"""`timeout` limits the whole request, wherever a server is slow (both clients)."""

import itertools
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import httpcore
import httpx
import pytest

from client_reference import ApiTimeout, ApixoError, Client, async_client
from client_reference.limited_network import LimitedBackend
from client_reference.time_limit import TimeLimit, limit_network
from tests.client_reference.driver import Driver
from tests.client_reference.listening import listening
from tests.client_reference.pictures import generation

TIMEOUT_S = 0.3
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = itertools.repeat(b"a")

# What comes at once, and what then drips in, byte by byte and without end.
DRIPPING: dict[str, tuple[bytes, Callable[[], Iterator[bytes]]]] = {
    "status line": (b"HTTP/1.1 200 ", lambda: ENDLESS),
    "header": (HEAD + b"X-More: ", lambda: ENDLESS),
    "interim responses": (b"", lambda: itertools.repeat(b"HTTP/1.1 102 Processing\r\n\r\n")),
    "body": (HEAD + b"Content-Length: 1000000\r\n\r\n", lambda: ENDLESS),
    "size of a chunk": (CHUNKED + b"5;", lambda: ENDLESS),
    "chunk": (CHUNKED + b"FFFFF\r\n", lambda: ENDLESS),
    "trailer": (CHUNKED + b"0\r\nX-More: ", lambda: ENDLESS),
    "nothing": (b"", lambda: iter(())),
}


def dripping(first: bytes, rest: Iterator[bytes]) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first)
        for each in rest:
            if select.select([connection], [], [], TIMEOUT_S / 20)[0]:
                return  # The client has closed the connection.
            connection.sendall(each)
        connection.recv(1)

    return answer


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_client, "_GRACE_S", 0.1)


@contextmanager
def client_for(driver: Driver, url: str = "http://service.test") -> Iterator[Client]:
    with closing(driver.over(None, base_url=url, timeout=TIMEOUT_S, max_retries=0)) as client:
        yield client


@pytest.mark.parametrize("place", DRIPPING)
def test_dripping_response_is_a_timeout(driver: Driver, place: str) -> None:
    first, rest = DRIPPING[place]

    with (
        listening(dripping(first, rest())) as port,
        client_for(driver, f"http://127.0.0.1:{port}") as client,
        pytest.raises(ApiTimeout) as caught,
    ):
        client.balance()

    assert caught.value.was_sent


@pytest.mark.parametrize("place", ["header", "interim responses"])
def test_dripping_head_of_a_download_is_a_timeout(
    driver: Driver, tmp_path: Path, place: str
) -> None:
    first, rest = DRIPPING[place]

    with (
        listening(dripping(first, rest())) as port,
        client_for(driver) as client,
        pytest.raises(ApiTimeout),
    ):
        client.download(generation(f"http://127.0.0.1:{port}/1.png"), tmp_path)


def test_download_that_drips_is_limited_as_a_whole(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sync_client", "async_client"):
        monkeypatch.setattr(f"client_reference.{module}.DOWNLOAD_S", TIMEOUT_S)
    first, rest = DRIPPING["trailer"]

    with (
        listening(dripping(first, rest())) as port,
        client_for(driver) as client,
        pytest.raises(ApiTimeout),
    ):
        client.download(generation(f"http://127.0.0.1:{port}/1.png"), tmp_path)


def test_dripping_tls_handshake_is_a_timeout(driver: Driver) -> None:
    handshake = dripping(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", ENDLESS)

    with (
        listening(handshake) as port,
        client_for(driver, f"https://127.0.0.1:{port}") as client,
        pytest.raises(ApiTimeout) as caught,
    ):
        client.balance()

    assert not caught.value.was_sent


def test_dripping_proxy_is_a_timeout(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    first, rest = DRIPPING["header"]

    with listening(dripping(first, rest())) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "")
        with client_for(driver) as client, pytest.raises(ApiTimeout):
            client.balance()


def test_server_that_reads_slowly_is_a_timeout(driver: Driver) -> None:
    is_over = Event()

    def read_slowly(connection: socket.socket) -> None:
        while not is_over.wait(TIMEOUT_S / 20) and connection.recv(1024):
            pass

    with listening(read_slowly) as port, client_for(driver, f"http://127.0.0.1:{port}") as client:
        with pytest.raises(ApixoError) as caught:
            client.submit("a fox", image_urls=["data:image/png;base64," + "A" * 12_000_000])
        is_over.set()

    assert isinstance(caught.value.__cause__, ApiTimeout)


class ManyAddresses(httpcore.NetworkBackend):
    """A network in which no address accepts, and each takes the whole timeout."""

    def __init__(self) -> None:
        self.timeouts: list[float] = []

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: object, **__: object
    ) -> httpcore.NetworkStream:
        assert timeout is not None
        self.timeouts.append(timeout)
        raise httpcore.ConnectTimeout


def test_addresses_of_a_name_share_the_time() -> None:
    network = ManyAddresses()

    with limit_network(TimeLimit(-1)), pytest.raises(httpcore.ConnectTimeout):
        LimitedBackend(network).connect_tcp("127.0.0.1", 80, 5)
    with limit_network(TimeLimit(3)), pytest.raises(httpcore.ConnectTimeout):
        LimitedBackend(network).connect_tcp("127.0.0.1", 80, 5)

    (timeout_s,) = network.timeouts
    assert timeout_s <= 3


def test_name_without_an_address_is_a_connect_error() -> None:
    with pytest.raises(httpcore.ConnectError):
        LimitedBackend(ManyAddresses()).connect_tcp("", 99_999_999, 5)


def test_network_has_no_limit_of_its_own() -> None:
    network = ManyAddresses()

    with pytest.raises(httpcore.ConnectTimeout):
        LimitedBackend(network).connect_tcp("127.0.0.1", 80, 5)

    assert network.timeouts == [5]


def test_client_of_the_caller_keeps_its_network() -> None:
    with httpx.Client() as http:
        before = http._transport
        Client("key", http_client=http)

        assert http._transport is before
