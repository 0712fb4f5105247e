"""Send callbacks within limits per receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mock_server.domain.ports import DeliveryResult
from mock_server.runtime.callback_client import CallbackClient
from mock_server.runtime.dns_resolver import DnsResolver
from mock_server.runtime.egress import Egress
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.web_url import parse_web_url


class HttpSender:
    """Posts JSON to addresses that the egress policy allows and returns the result.

    Each attempt may take `timeout_s` real seconds from its start. At most `max_per_receiver`
    attempts of a lane to one origin run at the same time, and at most `max_in_flight` in all.
    """

    def __init__(
        self,
        egress: Egress,
        *,
        timeout_s: float = 30.0,
        max_per_receiver: int = 32,
        max_in_flight: int = 1000,
        hosts: HostLookup | None = None,
    ) -> None:
        self._lanes = _Lanes(max_per_receiver)
        self._in_flight = asyncio.Semaphore(max_in_flight)
        self._client = CallbackClient(
            egress, hosts or HostLookup(DnsResolver()), timeout_s=timeout_s
        )

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        try:
            target = parse_web_url(url)
        except ValueError as error:
            return DeliveryResult(error=str(error))
        # Waiting for the lane first keeps attempts for a slow receiver out of the common limit.
        async with self._lanes.slot((lane, target.origin)), self._in_flight:
            return await self._client.attempt(target, body, lane, is_slow=is_slow)

    async def aclose(self) -> None:
        await self._client.aclose()


class _Lanes:
    """Limits each lane to `width` slots, and forgets lanes without users."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lanes: dict[tuple[str, str], _Lane] = {}

    @asynccontextmanager
    async def slot(self, name: tuple[str, str]) -> AsyncIterator[None]:
        lane = self._lanes.setdefault(name, _Lane(asyncio.Semaphore(self._width)))
        lane.users += 1
        try:
            async with lane.slots:
                yield
        finally:
            lane.users -= 1
            if lane.users == 0:
                del self._lanes[name]


@dataclass(slots=True)
class _Lane:
    slots: asyncio.Semaphore
    users: int = 0
