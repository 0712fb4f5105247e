"""The guard connects only to addresses that it allowed."""

import asyncio
import socket

import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_network import EgressBlocked, GuardedNetwork
from mock_server.runtime.host_lookup import HostLookup, Resolver
from mock_server.runtime.transport_errors import ExchangeFailed
from tests.mock_server.runtime.listening import pass_time, settled
from tests.mock_server.runtime.networks import (
    FakeNetwork,
    FakeResolver,
    client_of,
    get,
    no_resolver,
    serving,
)

pytestmark = pytest.mark.anyio

LONGER_THAN_ANSWERS_ARE_REMEMBERED_S = 60


def guard(
    resolve: Resolver, network: FakeNetwork, egress: Egress = Egress.PRIVATE
) -> GuardedNetwork:
    return GuardedNetwork(egress, HostLookup(resolve), connect=network.connect)


async def connect(guarded: GuardedNetwork, host: str) -> None:
    (await guarded.open_socket(host, 80)).close()


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    resolver = FakeResolver(["10.0.0.1"], ["169.254.169.254"])
    network = FakeNetwork()

    await connect(guard(resolver, network), "sly.test")

    assert resolver.hosts_asked == ["sly.test"]
    assert network.hosts == ["10.0.0.1"]


async def test_a_name_with_another_address_later_is_checked_again() -> None:
    network = FakeNetwork()
    guarded = guard(FakeResolver(["10.0.0.1"], ["169.254.169.254"]), network)
    await connect(guarded, "sly.test")
    pass_time(LONGER_THAN_ANSWERS_ARE_REMEMBERED_S)

    with pytest.raises(EgressBlocked):
        await connect(guarded, "sly.test")

    assert network.hosts == ["10.0.0.1"]


async def test_a_name_with_forbidden_addresses_only_is_blocked() -> None:
    network = FakeNetwork()
    guarded = guard(FakeResolver(["169.254.169.254", "8.8.8.8"]), network)

    for _ in range(2):  # The second answer is remembered, and judged like the first.
        with pytest.raises(EgressBlocked) as blocked:
            await connect(guarded, "bad.test")

    assert (blocked.value.host, str(blocked.value.address)) == ("bad.test", "169.254.169.254")
    assert blocked.value.rule == "169.254.169.254 is link-local"
    assert str(blocked.value) == (
        'blocked by egress policy "private": 169.254.169.254 is link-local'
        " (the address of bad.test)"
    )
    assert network.hosts == []


async def test_forbidden_addresses_of_an_allowed_host_are_skipped() -> None:
    network = FakeNetwork({"10.0.0.1": ConnectionRefusedError(111, "")})
    resolver = FakeResolver(["169.254.169.254", "10.0.0.1", "8.8.8.8"])

    with pytest.raises(ExchangeFailed):
        await connect(guard(resolver, network), "mixed.test")

    assert network.hosts == ["10.0.0.1"]


async def test_after_an_address_that_does_not_answer_the_next_one_is_tried() -> None:
    async def connect_slowly(address: object, port: int) -> socket.socket:
        asked.append(str(address))
        if len(asked) == 1:
            await asyncio.Event().wait()
        return socket.socket()

    asked: list[str] = []
    hosts = HostLookup(FakeResolver(["127.0.0.1", "127.0.0.2", "127.0.0.3"]))
    guarded = GuardedNetwork(Egress.LOOPBACK, hosts, connect=connect_slowly)
    connecting = asyncio.create_task(connect(guarded, "slow.test"))
    await settled()
    pass_time(2)
    await connecting

    assert asked == ["127.0.0.1", "127.0.0.2"]


async def test_when_every_address_fails_the_error_lists_the_reasons() -> None:
    refused, unreachable = ConnectionRefusedError(111, "no"), OSError(113, "no")
    network = FakeNetwork({"::1": refused, "127.0.0.1": refused, "127.0.0.2": unreachable})
    resolver = FakeResolver(["::1", "127.0.0.1", "::1", "127.0.0.2"])

    with pytest.raises(ExchangeFailed, match=r"^connection refused, no route to host$"):
        await connect(guard(resolver, network), "three.test")

    assert network.hosts == ["::1", "127.0.0.1", "127.0.0.2"]


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "127.0.0.1"])
async def test_a_numeric_host_is_converted_before_it_is_checked(host: str) -> None:
    network = FakeNetwork()

    await connect(guard(no_resolver, network, Egress.LOOPBACK), host)

    assert network.hosts == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [
        "2852039166",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "0xa9fea9fe",
        "169.254.43518",
        "169.254.169.254.",
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
        await connect(guard(no_resolver, network, Egress.PUBLIC), host)

    assert network.hosts == []


async def test_a_scope_id_is_not_passed_on() -> None:
    network = FakeNetwork()

    await connect(guard(no_resolver, network), "fd12::1%eth0")

    assert network.hosts == ["fd12::1"]


async def test_localhost_falls_back_from_ipv6_to_ipv4() -> None:
    async with serving() as port:
        assert await get(client_of(), f"http://localhost:{port}/") == b"ok"
