"""The guard resolves a name once and connects only to the addresses that it allowed."""

import asyncio
import socket
from collections.abc import Sequence

import httpcore
import httpx
import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_network import EgressBlocked, GuardedBackend
from mock_server.runtime.guarded_transport import GuardedTransport
from tests.mock_server.runtime.networks import (
    FakeNetwork,
    FakeResolver,
    forbidden_resolver,
    serving,
)

pytestmark = pytest.mark.anyio


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    resolver = FakeResolver(["10.0.0.1"], ["169.254.169.254"])
    network = FakeNetwork()

    await GuardedBackend(Egress.PRIVATE, resolver, network=network).connect_tcp("sly.test", 80)

    assert resolver.hosts_asked == ["sly.test"]
    assert network.hosts == ["10.0.0.1"]


async def test_a_name_is_checked_again_for_each_connection() -> None:
    resolver = FakeResolver(["10.0.0.1"], ["169.254.169.254"])
    network = FakeNetwork()
    backend = GuardedBackend(Egress.PRIVATE, resolver, network=network)
    await backend.connect_tcp("sly.test", 80)

    with pytest.raises(EgressBlocked):
        await backend.connect_tcp("sly.test", 80)

    assert network.hosts == ["10.0.0.1"]


async def test_a_name_with_forbidden_addresses_only_is_blocked() -> None:
    network = FakeNetwork()
    backend = GuardedBackend(
        Egress.PRIVATE, FakeResolver(["169.254.169.254", "8.8.8.8"]), network=network
    )

    with pytest.raises(EgressBlocked) as blocked:
        await backend.connect_tcp("bad.test", 80)

    assert (blocked.value.host, str(blocked.value.address)) == ("bad.test", "169.254.169.254")
    assert blocked.value.rule == "169.254.169.254 is link-local"
    assert network.hosts == []


async def test_forbidden_addresses_of_an_allowed_host_are_skipped() -> None:
    network = FakeNetwork({"10.0.0.1": httpcore.ConnectError(ConnectionRefusedError(111, ""))})
    resolver = FakeResolver(["169.254.169.254", "10.0.0.1", "8.8.8.8"])

    with pytest.raises(httpcore.ConnectError):
        await GuardedBackend(Egress.PRIVATE, resolver, network=network).connect_tcp(
            "mixed.test", 80
        )

    assert network.hosts == ["10.0.0.1"]


async def test_after_a_failed_address_the_next_one_is_tried() -> None:
    network = FakeNetwork({"::1": httpcore.ConnectTimeout()})

    await GuardedBackend(
        Egress.LOOPBACK, FakeResolver(["::1", "127.0.0.1", "127.0.0.2"]), network=network
    ).connect_tcp("localhost", 80, timeout=30)

    assert network.hosts == ["::1", "127.0.0.1"]
    assert network.timeouts == [2.0, 2.0]


async def test_the_last_address_gets_the_whole_timeout() -> None:
    network = FakeNetwork()

    await GuardedBackend(Egress.LOOPBACK, network=network).connect_tcp("::1", 80, timeout=30)

    assert network.timeouts == [30]


async def test_when_every_address_fails_the_error_lists_the_reasons() -> None:
    network = FakeNetwork({"::1": refused(), "127.0.0.1": refused(), "127.0.0.2": unreachable()})
    backend = GuardedBackend(
        Egress.LOOPBACK, FakeResolver(["::1", "127.0.0.1", "::1", "127.0.0.2"]), network=network
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
        (UnicodeError("label too long"), "invalid host name"),
    ],
    ids=["no address", "unknown", "malformed"],
)
async def test_a_name_without_an_address_is_a_connect_error(
    answer: Sequence[str] | OSError | UnicodeError, sentence: str
) -> None:
    backend = GuardedBackend(Egress.PUBLIC, FakeResolver(answer), network=FakeNetwork())

    with pytest.raises(httpcore.ConnectError, match=sentence):
        await backend.connect_tcp("missing.test", 80)


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "127.0.0.1"])
async def test_a_numeric_host_is_converted_before_it_is_checked(host: str) -> None:
    network = FakeNetwork()

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
async def test_a_forbidden_address_is_blocked_in_every_spelling(host: str) -> None:
    network = FakeNetwork()

    with pytest.raises(EgressBlocked):
        await GuardedBackend(Egress.PUBLIC, network=network).connect_tcp(host, 80)

    assert network.hosts == []


async def test_a_scope_id_is_not_passed_on() -> None:
    network = FakeNetwork()

    await GuardedBackend(Egress.PRIVATE, network=network).connect_tcp("fd12::1%eth0", 80)

    assert network.hosts == ["fd12::1"]


async def test_concurrent_connections_share_one_lookup_and_cancelling_one_keeps_the_others() -> (
    None
):
    is_asked = asyncio.Event()
    may_answer = asyncio.Event()
    asked = []

    async def slow(host: str) -> Sequence[str]:
        asked.append(host)
        is_asked.set()
        await may_answer.wait()
        return ["127.0.0.1"]

    backend = GuardedBackend(Egress.LOOPBACK, slow, network=FakeNetwork())
    first, *others = [asyncio.create_task(backend.connect_tcp("slow.test", 80)) for _ in range(5)]
    await is_asked.wait()
    first.cancel()
    may_answer.set()
    await asyncio.gather(*others)

    assert asked == ["slow.test"]
    assert first.cancelled()


async def test_unix_sockets_are_rejected() -> None:
    with pytest.raises(httpcore.ConnectError):
        await GuardedBackend(Egress.PUBLIC).connect_unix_socket("/var/run/docker.sock")


async def test_egress_blocked_passes_through_an_httpx_client_unchanged() -> None:
    transport = GuardedTransport(Egress.PUBLIC, forbidden_resolver)

    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        with pytest.raises(EgressBlocked) as blocked:
            await client.get("http://metadata.test/")

    assert str(blocked.value) == (
        'blocked by egress policy "public": 169.254.169.254 is link-local'
        " (the address of metadata.test)"
    )


async def test_localhost_falls_back_from_ipv6_to_ipv4() -> None:
    resolver = FakeResolver(["::1", "127.0.0.1"])

    async with serving() as port, GuardedTransport(Egress.LOOPBACK, resolver) as transport:
        response = await transport.handle_async_request(
            httpx.Request("GET", f"http://localhost:{port}/")
        )

        assert await response.aread() == b"ok"
