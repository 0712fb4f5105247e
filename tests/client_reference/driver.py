"""Both clients behind one interface, so that a test is written once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar, cast

import httpx

from client_reference import AsyncClient, Client
from tests.client_reference.scripted import BASE_URL, KEY, Answer, Time, VirtualTime

T = TypeVar("T")


class Blocking:
    """AsyncClient with the face of Client."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._client, name)

        def call(*args: object, **options: object) -> object:
            made = method(*args, **options)
            if isinstance(made, AsyncIterator):
                return self._each(made)
            return self._loop.run_until_complete(made)

        return call

    def _each(self, made: AsyncIterator[object]) -> Iterator[object]:
        assert hasattr(made, "aclose")
        try:
            while True:
                try:
                    result = self._loop.run_until_complete(_next(made))
                except StopAsyncIteration:
                    return
                yield result
        finally:
            self._loop.run_until_complete(made.aclose())


async def _next(made: AsyncIterator[object]) -> object:
    return await anext(made)


class Driver:
    """Makes clients of one kind; what it makes is used like a Client.

    The test of the two surfaces makes the cast an honest one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop

    def client(
        self,
        service: Answer,
        time: Time | None = None,
        *,
        api_key: str | None = KEY,
        base_url: str | None = BASE_URL,
        **options: Any,  # those of the constructor
    ) -> Client:
        return self.over(httpx.MockTransport(service), time, api_key, base_url, **options)

    def over(
        self,
        transport: httpx.MockTransport | None,
        time: Time | None = None,
        api_key: str | None = KEY,
        base_url: str | None = BASE_URL,
        **options: Any,  # those of the constructor
    ) -> Client:
        """Make a client over any transport, None for the real one."""
        time = VirtualTime() if time is None else time
        if self._loop is None:
            return Client(
                api_key,
                base_url,
                transport=transport,
                clock=time.clock,
                sleep=time.sleep,
                **options,
            )

        async def sleep(seconds: float) -> None:
            time.sleep(seconds)
            await asyncio.sleep(0)

        client = AsyncClient(
            api_key, base_url, transport=transport, clock=time.clock, sleep=sleep, **options
        )
        return cast("Client", Blocking(client, self._loop))

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Await something beside the clients."""
        return asyncio.run(work) if self._loop is None else self._loop.run_until_complete(work)

    def http_client(self, service: Answer, **options: Any) -> Any:  # of either kind
        kind = httpx.Client if self._loop is None else httpx.AsyncClient
        return kind(transport=httpx.MockTransport(service), **options)
