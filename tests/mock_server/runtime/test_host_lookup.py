"""Lookups of names: bounded, fair to every owner, and remembered for a short time."""

import asyncio
from collections.abc import Sequence

import pytest

from mock_server.runtime.host_lookup import HostLookup, LookupFailed
from mock_server.runtime.transport_errors import ExchangeFailed
from tests.mock_server.runtime.listening import pass_time, settled
from tests.mock_server.runtime.networks import FakeResolver, SilentResolver, no_resolver
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

DEAD = [f"dead{number}.test" for number in range(100)]


async def found(hosts: HostLookup, host: str, owner: str = "") -> list[str]:
    return [str(address) for address in await hosts.addresses(host, owner)]


def look_up(hosts: HostLookup, names: Sequence[str], owner: str) -> list[asyncio.Task[list[str]]]:
    return [asyncio.create_task(found(hosts, name, owner)) for name in names]


async def cancel(tasks: Sequence[asyncio.Task[list[str]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("127.1", ["127.0.0.1"]),
        ("0x7f000001", ["127.0.0.1"]),
        ("017700000001.", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("localhost", ["::1", "127.0.0.1"]),
        ("LocalHost.", ["::1", "127.0.0.1"]),
        ("any.name.localhost", ["::1", "127.0.0.1"]),
    ],
)
async def test_numbers_and_localhost_need_no_dns(host: str, addresses: list[str]) -> None:
    assert await found(HostLookup(no_resolver), host) == addresses


@pytest.mark.parametrize("host", ["notlocalhost", "localhost.test", "127.0.0.1.test", "1.2.3.4.5"])
async def test_all_other_names_are_looked_up(host: str) -> None:
    resolver = FakeResolver(["127.0.0.9"])

    assert await found(HostLookup(resolver), host) == ["127.0.0.9"]
    assert resolver.hosts_asked == [host]


async def test_distinct_addresses_are_returned_in_order() -> None:
    hosts = HostLookup(FakeResolver(["127.0.0.2", "::1", "127.0.0.2"]))

    assert await found(hosts, "two.test") == ["127.0.0.2", "::1"]


async def test_an_owner_with_many_pending_names_delays_no_other_owner() -> None:
    resolver = SilentResolver({"live.test": "127.0.0.5"})
    hosts = HostLookup(resolver)
    pending = look_up(hosts, DEAD, "greedy")
    await settled()

    assert len(resolver.hosts_asked) == 4
    assert await found(hosts, "live.test", "other") == ["127.0.0.5"]
    await cancel(pending)


async def test_an_owner_may_wait_for_a_name_that_another_owner_waits_for() -> None:
    resolver = SilentResolver({"shared.test": "127.0.0.5"})
    hosts = HostLookup(resolver)
    pending = look_up(hosts, [*DEAD, "shared.test"], "greedy")
    await settled()

    assert await found(hosts, "shared.test", "other") == ["127.0.0.5"]
    await cancel(pending)


async def test_there_is_a_limit_for_all_owners_together() -> None:
    resolver = SilentResolver()
    hosts = HostLookup(resolver)
    pending = [task for number in range(100) for task in look_up(hosts, DEAD[:4], f"owner{number}")]
    await settled()

    assert len(resolver.hosts_asked) == 256
    resolver.may_answer.set()
    assert await asyncio.gather(*pending) == [["127.0.0.1"]] * 400


async def test_a_lookup_that_is_cancelled_while_it_waits_gives_its_place_back() -> None:
    resolver = SilentResolver()
    hosts = HostLookup(resolver)
    running = [task for number in range(64) for task in look_up(hosts, DEAD[:4], f"owner{number}")]
    await settled()
    waiting = look_up(hosts, DEAD[:8], "late")
    await settled()
    await cancel(waiting[:-1])
    resolver.may_answer.set()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*running, waiting[-1])

    assert hosts._places._owners == {}


async def test_concurrent_lookups_of_one_name_are_one_and_cancelling_one_keeps_the_others() -> None:
    resolver = SilentResolver()
    hosts = HostLookup(resolver)
    first, *others = look_up(hosts, ["slow.test"] * 20, "owner")
    await settled()
    first.cancel()
    resolver.may_answer.set()
    await asyncio.gather(*others)

    assert resolver.hosts_asked == ["slow.test"]
    assert first.cancelled()


async def test_a_name_without_an_answer_fails_after_five_seconds() -> None:
    hosts = HostLookup(SilentResolver())
    [pending] = look_up(hosts, ["dead.test"], "owner")
    await settled()
    pass_time(5)

    with pytest.raises(ExchangeFailed, match=r"does not resolve \(no answer within 5 s\)"):
        await pending


@pytest.mark.parametrize("owners", [["owner"] * 3, ["one", "two", "three"]])
async def test_a_query_that_has_no_answer_yet_keeps_its_place(owners: list[str]) -> None:
    resolver = SilentResolver()
    hosts = HostLookup(resolver)
    for owner in owners:
        pending = look_up(hosts, DEAD[:4], owner)
        await settled()
        await cancel(pending)

    assert len(resolver.hosts_asked) == 4 * len(set(owners))
    resolver.may_answer.set()
    await settled()
    assert hosts._places._owners == {}
    assert hosts._running == {}


async def test_an_answer_is_remembered_for_seconds() -> None:
    resolver = FakeResolver(["127.0.0.1"], ["127.0.0.2"])
    hosts = HostLookup(resolver)

    assert await found(hosts, "moving.test", "one") == ["127.0.0.1"]
    assert await found(hosts, "moving.test", "two") == ["127.0.0.1"]
    pass_time(10)
    assert await found(hosts, "moving.test", "one") == ["127.0.0.2"]


async def test_a_failure_is_remembered_for_a_shorter_time() -> None:
    hosts = HostLookup(FakeResolver(LookupFailed("domain name not found"), [], ["127.0.0.1"]))

    for _ in range(2):
        with pytest.raises(ExchangeFailed, match=r"does not resolve \(domain name not found\)"):
            await found(hosts, "new.test")
    pass_time(2)
    with pytest.raises(ExchangeFailed, match=r"does not resolve \(it has no address\)"):
        await found(hosts, "new.test")
    pass_time(2)
    assert await found(hosts, "new.test") == ["127.0.0.1"]


async def test_the_number_of_remembered_names_is_bounded() -> None:
    hosts = HostLookup(SilentResolver({f"n{number}.test": "127.0.0.1" for number in range(1500)}))
    for number in range(1500):
        await hosts.addresses(f"n{number}.test")

    assert len(hosts._remembered) == 1000
