"""The asynchronous client limits its requests at once, and each ends in time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import anyio
import httpx
import pytest

from client_reference import ApiTimeout, AsyncClient, async_client
from tests.client_reference.pictures import generation
from tests.client_reference.scripted import BASE_URL, KEY, says


def client_of(transport: httpx.AsyncBaseTransport, timeout: float = 30.0) -> AsyncClient:
    return AsyncClient(KEY, BASE_URL, transport=transport, timeout=timeout, max_retries=0)


class Crowded(httpx.AsyncBaseTransport):
    """Takes its time, and counts who is there meanwhile."""

    def __init__(self) -> None:
        self.at_once = 0
        self.most_at_once = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for _ in range(10):
                await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        return says(200, 1)(request)


class Silent(httpx.AsyncBaseTransport):
    """Never answers, as where the head of an answer drips in for ever."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("ends", ["answered", "cancelled"])
def test_async_client_sends_at_most_fifty_requests_at_once(ends: str) -> None:
    transport = Crowded()
    client = client_of(transport)

    async def crowd() -> None:
        asking = [asyncio.create_task(client.balance()) for _ in range(300)]
        if ends == "cancelled":
            await asyncio.sleep(0)
            for each in asking[::2]:
                each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    for _ in range(2):  # each in a loop of its own
        asyncio.run(crowd())

    assert transport.most_at_once == 50
    assert client._slots.value == 50


def test_submit_without_a_free_slot_was_not_sent() -> None:
    client = client_of(Silent(), timeout=0.01)
    client._slots = anyio.Semaphore(0)

    with pytest.raises(ApiTimeout, match="free request slot") as caught:
        asyncio.run(client.submit("a fox"))

    assert not caught.value.was_sent


def test_missing_response_is_a_timeout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(async_client, "_GRACE_S", 0.0)
    client = client_of(Silent(), timeout=0.01)

    async def ask() -> Sequence[object]:
        async with asyncio.timeout(60):
            asked = (client.balance(), client.download(generation(), tmp_path))
            return await asyncio.gather(*asked, return_exceptions=True)

    for error in asyncio.run(ask()):
        assert isinstance(error, ApiTimeout)
        assert error.was_sent
