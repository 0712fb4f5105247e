"""Make one callback attempt: a POST with its response."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import httpx

from mock_server.domain.ports import DeliveryResult
from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_network import EgressBlocked
from mock_server.runtime.guarded_transport import GuardedTransport
from mock_server.runtime.resolver import Resolver, system_resolver
from mock_server.runtime.web_url import basic_auth_header
from mock_server.version import __version__

USER_AGENT: Final = f"apixo-testkit-mock/{__version__}"
_SLOW_PARTS = 20
_SLOW_PAUSE_S = 0.1
# Longer response bodies are not read to the end, and their connection is closed.
_MAX_BODY_BYTES = 64 * 1024


class CallbackClient:
    """Posts JSON to addresses that the egress policy allows.

    Each attempt may take `timeout_s` real seconds from its start. The caller limits how many
    attempts run at the same time.
    """

    def __init__(
        self, egress: Egress, *, timeout_s: float = 30.0, resolve: Resolver = system_resolver
    ) -> None:
        self._timeout_s = timeout_s
        # The transport is used without an httpx client, which would keep cookies and reject an
        # invalid Location.
        self._transport = GuardedTransport(egress, resolve)

    async def attempt(
        self, url: httpx.URL, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        """Return the result of one attempt; no failure of the receiver raises an error.

        `lane` names the sandbox that pays for shared parts, such as lookups of names.
        """
        request = _request(url, body, is_slow=is_slow)
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        response = _Response()
        error = None
        is_blocked = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._exchange(request, response)
        except TimeoutError:
            error = f"no response within {self._timeout_s:g} s"
        except EgressBlocked as blocked:
            error = str(blocked)
            is_blocked = True
        except httpx.TransportError as failure:
            error = str(failure)
        return DeliveryResult(
            status=response.status,
            error=error if response.status is None else None,
            is_blocked=is_blocked,
            duration_ms=round((loop.time() - started_s) * 1000),
        )

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _exchange(self, request: httpx.Request, response: "_Response") -> None:
        """Send the request; send it again if the server had closed a kept-alive connection."""
        request.extensions["trace"] = response.trace
        try:
            await self._send(request, response)
        except httpx.TransportError:
            if response.status is not None or response.has_connected:
                raise
            await self._send(request, response)

    async def _send(self, request: httpx.Request, response: "_Response") -> None:
        async with aclosing(await self._transport.handle_async_request(request)) as received:
            response.status = received.status_code
            size = 0
            async for part in received.aiter_raw():
                size += len(part)
                if size > _MAX_BODY_BYTES:
                    break


@dataclass(slots=True)
class _Response:
    """The response received so far; its status counts even if reading the body fails."""

    status: int | None = None
    has_connected: bool = False  # The request opened a new connection.

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self.has_connected = True


def _request(url: httpx.URL, body: bytes, *, is_slow: bool) -> httpx.Request:
    headers = {  # The provider documents no signature (CB-6).
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        **basic_auth_header(url),
    }
    if is_slow:
        headers["Content-Length"] = str(len(body))
        return httpx.Request("POST", url, headers=headers, content=_in_slow_parts(body))
    return httpx.Request("POST", url, headers=headers, content=body)


async def _in_slow_parts(body: bytes) -> AsyncIterator[bytes]:
    size = -(-len(body) // _SLOW_PARTS)
    for at in range(0, len(body), size):
        yield body[at : at + size]
        await asyncio.sleep(_SLOW_PAUSE_S)
