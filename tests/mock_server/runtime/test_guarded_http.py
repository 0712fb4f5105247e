"""The guard resolves a name once and connects to what it judged; its refusals arrive unharmed."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore
import httpx
import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.failures import translated
from mock_server.runtime.guarded_http import (
    Blocked,
    GuardedBackend,
    GuardedTransport,
    credentials,
    web_url,
)
from mock_server.runtime.lookups import Resolver
from tests.mock_server.runtime.listening import listening

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Network(httpcore.AsyncNetworkBackend):
    """Connects nowhere, remembers where it should have, and fails for the addresses it is told."""

    def __init__(self, failing: Mapping[str, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.hosts: list[str] = []
        self.timeouts: list[float | None] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.hosts.append(host)
        self.timeouts.append(timeout)
        if host in self.failing:
            raise self.failing[host]
        return httpcore.AsyncMockStream([OK])


class Names:
    """A resolver that gives its answers in turn, and counts how often it is asked."""

    def __init__(self, *answers: Sequence[str] | OSError | UnicodeError) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def forbidden_resolver(host: str) -> Sequence[str]:
    return ["169.254.169.254"]


async def loopback_resolver(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


async def test_a_name_that_changes_its_mind_is_connected_where_it_was_judged() -> None:
    names = Names(["10.0.0.1"], ["169.254.169.254"])
    network = Network()

    await GuardedBackend(Egress.PRIVATE, names, network=network).connect_tcp("sly.test", 80)

    assert names.asked == ["sly.test"]
    assert network.hosts == ["10.0.0.1"]


async def test_a_name_is_judged_again_at_its_next_connection() -> None:
    names = Names(["10.0.0.1"], ["169.254.169.254"])
    network = Network()
    backend = GuardedBackend(Egress.PRIVATE, names, network=network)
    await backend.connect_tcp("sly.test", 80)

    with pytest.raises(Blocked):
        await backend.connect_tcp("sly.test", 80)

    assert network.hosts == ["10.0.0.1"]


async def test_a_name_with_forbidden_addresses_only_is_blocked() -> None:
    network = Network()
    backend = GuardedBackend(Egress.PRIVATE, Names(["169.254.169.254", "8.8.8.8"]), network=network)

    with pytest.raises(Blocked) as refusal:
        await backend.connect_tcp("bad.test", 80)

    assert (refusal.value.host, str(refusal.value.address)) == ("bad.test", "169.254.169.254")
    assert refusal.value.rule == "169.254.169.254 is link-local"
    assert network.hosts == []


async def test_forbidden_addresses_beside_allowed_ones_are_left_out() -> None:
    network = Network({"10.0.0.1": httpcore.ConnectError(ConnectionRefusedError(111, ""))})
    names = Names(["169.254.169.254", "10.0.0.1", "8.8.8.8"])

    with pytest.raises(httpcore.ConnectError):
        await GuardedBackend(Egress.PRIVATE, names, network=network).connect_tcp("mixed.test", 80)

    assert network.hosts == ["10.0.0.1"]


async def test_an_address_that_fails_gives_way_to_the_next() -> None:
    network = Network({"::1": httpcore.ConnectTimeout()})

    await GuardedBackend(
        Egress.LOOPBACK, Names(["::1", "127.0.0.1", "127.0.0.2"]), network=network
    ).connect_tcp("localhost", 80, timeout=30)

    assert network.hosts == ["::1", "127.0.0.1"]
    assert network.timeouts == [2.0, 2.0]


async def test_the_last_address_has_all_the_time_there_is() -> None:
    network = Network()

    await GuardedBackend(Egress.LOOPBACK, network=network).connect_tcp("::1", 80, timeout=30)

    assert network.timeouts == [30]


async def test_when_every_address_fails_the_error_says_how() -> None:
    network = Network({"::1": refused(), "127.0.0.1": refused(), "127.0.0.2": unreachable()})
    backend = GuardedBackend(
        Egress.LOOPBACK, Names(["::1", "127.0.0.1", "::1", "127.0.0.2"]), network=network
    )

    with pytest.raises(httpcore.ConnectError, match=r"^connection refused, no route to host$"):
        await backend.connect_tcp("localhost", 80)

    assert network.hosts == ["::1", "127.0.0.1", "127.0.0.2"]


def refused() -> Exception:
    error = httpcore.ConnectError()
    error.__cause__ = ConnectionRefusedError(111, "Connect call failed")
    return error


def unreachable() -> Exception:
    error = httpcore.ConnectError()
    error.__cause__ = OSError(113, "Connect call failed")
    return error


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([], "the host name has no address"),
        (socket.gaierror(-2, "Name unknown"), r"does not resolve \(Name unknown\)"),
        (UnicodeError("label too long"), "the host name is not well formed"),
    ],
    ids=["no address", "unknown", "malformed"],
)
async def test_a_name_without_an_address_is_a_connect_error(
    answer: Sequence[str] | OSError | UnicodeError, sentence: str
) -> None:
    backend = GuardedBackend(Egress.PUBLIC, Names(answer), network=Network())

    with pytest.raises(httpcore.ConnectError, match=sentence):
        await backend.connect_tcp("missing.test", 80)


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "127.0.0.1"])
async def test_a_numeric_spelling_is_understood_before_it_is_judged(host: str) -> None:
    network = Network()

    await GuardedBackend(Egress.LOOPBACK, network=network).connect_tcp(host, 80)

    assert network.hosts == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [
        "2852039166",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "0xa9fea9fe",
        "169.254.43518",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "fe80::1%lo",
        "fe80::1%25lo",
        "0",
        "::",
    ],
)
async def test_a_forbidden_address_is_blocked_however_it_is_spelt(host: str) -> None:
    network = Network()

    with pytest.raises(Blocked):
        await GuardedBackend(Egress.PUBLIC, network=network).connect_tcp(host, 80)

    assert network.hosts == []


async def test_a_scope_id_is_not_passed_on() -> None:
    network = Network()

    await GuardedBackend(Egress.PRIVATE, network=network).connect_tcp("fd12::1%eth0", 80)

    assert network.hosts == ["fd12::1"]


async def test_connections_at_one_time_share_one_look_up_and_survive_one_another() -> None:
    is_asked = asyncio.Event()
    may_answer = asyncio.Event()
    asked = []

    async def slow(host: str) -> Sequence[str]:
        asked.append(host)
        is_asked.set()
        await may_answer.wait()
        return ["127.0.0.1"]

    backend = GuardedBackend(Egress.LOOPBACK, slow, network=Network())
    first, *others = [asyncio.create_task(backend.connect_tcp("slow.test", 80)) for _ in range(5)]
    await is_asked.wait()
    first.cancel()
    may_answer.set()
    await asyncio.gather(*others)

    assert asked == ["slow.test"]
    assert first.cancelled()


async def test_sockets_in_the_file_system_are_refused() -> None:
    with pytest.raises(httpcore.ConnectError):
        await GuardedBackend(Egress.PUBLIC).connect_unix_socket("/var/run/docker.sock")


async def test_blocked_reaches_the_caller_of_httpx_as_it_is() -> None:
    transport = GuardedTransport(Egress.PUBLIC, forbidden_resolver)

    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        with pytest.raises(Blocked) as refusal:
            await client.get("http://metadata.test/")

    assert str(refusal.value) == (
        "blocked by egress policy 'public': 169.254.169.254 is link-local"
        " (the address of metadata.test)"
    )


async def test_localhost_falls_back_from_ipv6_to_ipv4() -> None:
    names = Names(["::1", "127.0.0.1"])

    async with serving() as port, GuardedTransport(Egress.LOOPBACK, names) as transport:
        response = await transport.handle_async_request(
            httpx.Request("GET", f"http://localhost:{port}/")
        )

        assert await response.aread() == b"ok"


async def test_tls_names_and_checks_the_host_and_not_its_address(certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=certificate)

    async with (
        serving(certificate) as port,
        GuardedTransport(Egress.LOOPBACK, loopback_resolver, ssl_context=trusted) as transport,
    ):
        right = await transport.handle_async_request(request(f"https://receiver.test:{port}/"))
        assert await right.aread() == b"ok"
        with pytest.raises(httpx.ConnectError, match="certificate not accepted: Hostname mismatch"):
            await transport.handle_async_request(request(f"https://other.test:{port}/"))


async def test_an_unknown_certificate_is_named_as_the_reason(certificate: Path) -> None:
    async with serving(certificate) as port, transport_to(loopback_resolver) as transport:
        with pytest.raises(httpx.ConnectError, match=r"certificate not accepted: self.signed"):
            await transport.handle_async_request(request(f"https://receiver.test:{port}/"))


async def test_tls_to_a_plain_server_is_named_as_the_reason() -> None:
    async with serving() as port, transport_to(loopback_resolver) as transport:
        with pytest.raises(httpx.ConnectError, match="TLS failed: wrong version number"):
            await transport.handle_async_request(request(f"https://receiver.test:{port}/"))


def test_a_tls_error_in_the_middle_of_an_answer_is_a_network_error() -> None:
    with pytest.raises(httpx.NetworkError, match="TLS failed: bad record mac"), translated():
        raise ssl_error("BAD_RECORD_MAC")


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not an http or https"),
        ("ws://example.test", "not an http or https"),
        ("http:///path", "names no host"),
        ("http://example.test:0", "no port 0"),
        ("http://example.test:65536", "no port 65536"),
        ("http://example.test:" + "9" * 5000, "Invalid port"),
        ("http://bad\x00host", "non-printable"),
        ("http://[::1", "Invalid"),
        ("http://\ud800/", "IDNA"),
        ("http://example.test/\ud800", "surrogates"),
    ],
)
def test_text_that_is_no_web_address_is_refused_in_a_short_sentence(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        web_url(text)

    assert len(str(refusal.value)) <= 200


def test_the_user_part_of_an_address_becomes_basic_credentials() -> None:
    assert credentials(web_url("http://example.test/")) == {}
    assert credentials(web_url("http://user:p%40ss@example.test/")) == {
        "Authorization": "Basic dXNlcjpwQHNz"
    }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with a key and a self-signed certificate for receiver.test."""
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    name = "-subj /CN=receiver.test -addext subjectAltName=DNS:receiver.test"
    files = ["-keyout", f"{path}.key", "-out", f"{path}.crt"]
    try:
        subprocess.run([*command.split(), *name.split(), *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_text(Path(f"{path}.key").read_text() + Path(f"{path}.crt").read_text())
    return path


@asynccontextmanager
async def serving(certificate: Path | None = None) -> AsyncIterator[int]:
    """Answer 200 to the first request of each connection on 127.0.0.1; give the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            writer.write(OK)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    async with listening(answer, context) as port:
        yield port


def transport_to(resolve: Resolver) -> GuardedTransport:
    return GuardedTransport(Egress.LOOPBACK, resolve)


def request(url: str) -> httpx.Request:
    return httpx.Request("GET", url)
