"""The resolver queries DNS servers. If they do not answer, closing it ends all lookups."""

import asyncio
import resource
from collections.abc import Iterator
from importlib import import_module

import pytest

from mock_server.runtime.dns_resolver import DnsResolver
from mock_server.runtime.host_lookup import LookupFailed
from tests.mock_server.runtime.listening import until
from tests.mock_server.runtime.name_server import NameServer
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    server = NameServer({"live.test": "127.0.0.77", "empty.test": ""})
    yield server
    server.close()


def resolver_of(name_server: NameServer) -> DnsResolver:
    return DnsResolver([f"127.0.0.1:{name_server.port}"])


async def test_a_name_has_the_addresses_that_the_dns_server_says(name_server: NameServer) -> None:
    resolver = resolver_of(name_server)

    assert await resolver("live.test") == ["127.0.0.77"]
    await resolver.aclose()


@pytest.mark.parametrize(
    "name", ["missing.test", "xn--a", "a" * 64 + ".test", "x..test", ".", "bad name"]
)
async def test_a_name_without_an_address_has_a_reason(name: str, name_server: NameServer) -> None:
    resolver = resolver_of(name_server)

    with pytest.raises(LookupFailed, match=r"^[a-z].{3,60}$"):
        await resolver(name)
    await resolver.aclose()


async def test_lookups_without_an_answer_end_when_the_resolver_is_closed(
    name_server: NameServer,
) -> None:
    resolver = resolver_of(name_server)
    pending = [asyncio.create_task(resolver(f"dead{number}.test")) for number in range(20)]
    await until(lambda: len(set(name_server.asked)) == 20)
    async with asyncio.timeout(PATIENCE_S):
        await resolver.aclose()
        failures = await asyncio.gather(*pending, return_exceptions=True)

    assert {str(failure) for failure in failures} == {"dns query cancelled"}


async def test_a_closed_resolver_rejects_lookups(name_server: NameServer) -> None:
    resolver = resolver_of(name_server)
    await resolver.aclose()

    with pytest.raises(LookupFailed, match="the server is stopping"):
        await resolver("live.test")


async def test_a_process_out_of_descriptors_gets_a_reason(name_server: NameServer) -> None:
    resolver = resolver_of(name_server)
    await asyncio.to_thread(import_module, "aiodns")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(LookupFailed):
            await resolver("live.test")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await resolver.aclose()
