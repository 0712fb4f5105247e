"""Delivers callbacks: one POST an attempt, within limits that keep receivers apart."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from mock_server.domain.ports import Sent
from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_http import (
    Blocked,
    GuardedTransport,
    credentials,
    web_url,
)
from mock_server.runtime.lookups import Resolver, system_resolver
from mock_server.version import __version__

USER_AGENT: Final = f"apixo-testkit-mock/{__version__}"
_SLOW_PARTS = 20
_SLOW_PAUSE_S = 0.1
_BODY_MAX = 64 * 1024  # bytes read of an answer; a longer one costs its connection


class HttpSender:
    """Posts JSON to any address that the egress policy allows, and reports what came of it.

    Each attempt may take `timeout_s` real seconds from the moment it starts. It starts when fewer
    than `max_per_receiver` attempts of its lane to the same origin are under way, and fewer than
    `max_in_flight` in all.
    """

    def __init__(
        self,
        egress: Egress,
        *,
        timeout_s: float = 30.0,
        max_per_receiver: int = 32,
        max_in_flight: int = 1000,
        resolve: Resolver = system_resolver,
    ) -> None:
        self._timeout_s = timeout_s
        self._lanes = _Lanes(max_per_receiver)
        self._in_flight = asyncio.Semaphore(max_in_flight)
        # An httpx client would keep cookies and fail on an odd Location; the transport does not.
        self._transport = GuardedTransport(egress, resolve)

    async def post(self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False) -> Sent:
        try:
            request = _request(web_url(url), body, is_slow=is_slow)
        except ValueError as error:
            return Sent(error=str(error))
        # The lane comes first, so that attempts queued for one receiver hold no common place.
        async with self._lanes.place((lane, _origin(request.url))), self._in_flight:
            return await self._attempt(request)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _attempt(self, request: httpx.Request) -> Sent:
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = _Answer()
        error = None
        is_blocked = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._exchange(request, answer)
        except TimeoutError:
            error = f"no answer within {self._timeout_s:g} s"
        except Blocked as blocked:
            error = str(blocked)
            is_blocked = True
        except httpx.TransportError as failure:
            error = str(failure)
        return Sent(
            status=answer.status,
            error=error if answer.status is None else None,
            is_blocked=is_blocked,
            duration_ms=round((loop.time() - started) * 1000),
        )

    async def _exchange(self, request: httpx.Request, answer: "_Answer") -> None:
        """Send again once where only a kept connection was at fault, closed by now."""
        request.extensions["trace"] = answer.trace
        try:
            await self._send(request, answer)
        except httpx.TransportError:
            if answer.status is not None or answer.has_connected:
                raise
            await self._send(request, answer)

    async def _send(self, request: httpx.Request, answer: "_Answer") -> None:
        async with aclosing(await self._transport.handle_async_request(request)) as response:
            answer.status = response.status_code
            size = 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > _BODY_MAX:
                    break


@dataclass(slots=True)
class _Answer:
    """What is known of an answer so far; a status counts even if the body then fails."""

    status: int | None = None
    has_connected: bool = False  # by a connection of its own, not one kept from before

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self.has_connected = True


class _Lanes:
    """Gives out at most `width` places a lane, and forgets a lane that nobody asks for."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lanes: dict[tuple[str, str], _Lane] = {}

    @asynccontextmanager
    async def place(self, name: tuple[str, str]) -> AsyncIterator[None]:
        lane = self._lanes.setdefault(name, _Lane(asyncio.Semaphore(self._width)))
        lane.users += 1
        try:
            async with lane.places:
                yield
        finally:
            lane.users -= 1
            if lane.users == 0:
                del self._lanes[name]


@dataclass(slots=True)
class _Lane:
    places: asyncio.Semaphore
    users: int = 0


def _request(url: httpx.URL, body: bytes, *, is_slow: bool) -> httpx.Request:
    headers = {  # no signature, for none is documented (CB-6)
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        **credentials(url),
    }
    if is_slow:
        headers["Content-Length"] = str(len(body))
        return httpx.Request("POST", url, headers=headers, content=_bit_by_bit(body))
    return httpx.Request("POST", url, headers=headers, content=body)


async def _bit_by_bit(body: bytes) -> AsyncIterator[bytes]:
    size = -(-len(body) // _SLOW_PARTS)
    for at in range(0, len(body), size):
        yield body[at : at + size]
        await asyncio.sleep(_SLOW_PAUSE_S)


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
