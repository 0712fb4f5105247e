"""`ApiKeys` knows the keys of all sandboxes of the store, and keeps nothing else for long."""

import asyncio
import tracemalloc

import pytest

from mock_server.domain.api_key import MAX_KEY_LENGTH
from mock_server.store.memory_store import MemoryStore
from mock_server.web.api_keys import ApiKeys, sandbox_id
from mock_server.web.base_urls import BaseUrls
from mock_server.web.redaction import REDACTED
from mock_server.web.request import LocalAddress
from tests.mock_server.domain.driven import DEFAULTS

KEY = "sk-of-the-first-client"
SHOWN = f'"a fox with {KEY}"'.encode()
CACHED = 200


@pytest.fixture(autouse=True)
def _small_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.web.api_keys._MAX_CACHED", CACHED)


async def use(api_keys: ApiKeys, key: str, real_ms: int = 1) -> None:
    assert await api_keys.sandbox(f"Bearer {key}".encode(), real_ms) is not None


def test_key_of_a_sandbox_is_redacted_after_any_number_of_other_keys() -> None:
    async def scenario() -> bytes:
        api_keys = ApiKeys(MemoryStore(DEFAULTS, max_sandboxes=50), ())
        for number in range(3 * CACHED):
            await use(api_keys, f"sk-other-{number}", real_ms=number)
            if number % 20 == 0:  # It is used, so the store keeps its sandbox.
                await use(api_keys, KEY, real_ms=number)
        return api_keys.without_key(sandbox_id(KEY), SHOWN)

    assert REDACTED.encode() in asyncio.run(scenario())


def test_key_is_known_again_when_its_sandbox_is_created_again() -> None:
    async def scenario() -> bytes:
        store = MemoryStore(DEFAULTS, max_sandboxes=50)
        api_keys = ApiKeys(store, ())
        await use(api_keys, KEY)
        await store.remove(sandbox_id(KEY))
        for number in range(CACHED):
            await use(api_keys, f"sk-other-{number}")
        await use(api_keys, KEY)
        return api_keys.without_key(sandbox_id(KEY), SHOWN)

    assert REDACTED.encode() in asyncio.run(scenario())


def test_headers_with_long_keys_or_many_spaces_are_not_kept() -> None:
    async def scenario() -> int:
        api_keys = ApiKeys(MemoryStore(DEFAULTS, max_sandboxes=50), ())
        await use(api_keys, KEY)
        tracemalloc.start()
        try:
            for number in range(100):
                spaces = b" " * (50_000 + number)
                await api_keys.sandbox(b"Bearer" + spaces + KEY.encode(), 1)
                await api_keys.sandbox(b"Bearer " + b"k" * (MAX_KEY_LENGTH + number + 1), 1)
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    assert asyncio.run(scenario()) < 200_000


def test_long_host_is_replaced_by_the_address_of_the_server() -> None:
    base_urls = BaseUrls(None)
    address = LocalAddress("http", ("127.0.0.1", 8080))
    longest = b"h" * 253 + b":65535"

    assert base_urls.of(address, {b"host": longest}) == f"http://{longest.decode()}"
    assert base_urls.of(address, {b"host": longest + b"5"}) == "http://127.0.0.1:8080"
