"""Send callbacks: one POST for each attempt."""

import asyncio
from collections.abc import Sequence
from typing import Final

from mock_server.domain.ports import DeliveryResult
from mock_server.runtime.dns_resolver import DnsResolver
from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_client import MAX_IDLE, GuardedClient
from mock_server.runtime.guarded_network import EgressBlocked, GuardedNetwork
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.request_head import request_head
from mock_server.runtime.transport_errors import ExchangeFailed
from mock_server.runtime.web_url import WebUrl, parse_web_url

_SLOW_PARTS: Final = 20
_SLOW_PAUSE_S: Final = 0.1
# Longer response bodies are not read to the end, and their connection is closed.
_MAX_BODY_BYTES: Final = 64 * 1024


class HttpSender:
    """Posts JSON to addresses that the egress policy allows and returns the result.

    Each attempt may take `timeout_s` real seconds. The caller limits how many attempts are in
    progress (`lanes.py`). Up to `max_idle` connections are kept for later attempts.
    """

    def __init__(
        self,
        egress: Egress,
        *,
        timeout_s: float = 30.0,
        hosts: HostLookup | None = None,
        max_idle: int = MAX_IDLE,
    ) -> None:
        self._timeout_s = timeout_s
        network = GuardedNetwork(egress, hosts or HostLookup(DnsResolver()))
        self._client = GuardedClient(network, max_idle=max_idle)

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        """Send one callback; return its result as soon as the receiver's status is known.

        `lane` names the sandbox: lookups of names for one sandbox do not delay another one.
        """
        try:
            target = parse_web_url(url)
        except ValueError as error:
            return DeliveryResult(error=str(error), is_invalid=True)
        return await self._attempt(target, body, lane, is_slow=is_slow)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _attempt(
        self, url: WebUrl, body: bytes, lane: str, *, is_slow: bool
    ) -> DeliveryResult:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        status = None
        error = None
        is_blocked = False
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(
                    url,
                    _slow_parts(url, body) if is_slow else [_head(url, body) + body],
                    owner=lane,
                    max_body_bytes=_MAX_BODY_BYTES,
                    pause_s=_SLOW_PAUSE_S if is_slow else 0,
                )
                status = response.status
                response.release()
        except TimeoutError:
            error = f"no response within {self._timeout_s:g} s"
        except EgressBlocked as blocked:
            error = str(blocked)
            is_blocked = True
        except ExchangeFailed as failure:
            error = str(failure)
        return DeliveryResult(
            status=status,
            error=error,
            is_blocked=is_blocked,
            duration_ms=round((loop.time() - started_s) * 1000),
        )


def _head(url: WebUrl, body: bytes) -> bytes:
    headers = {  # The provider documents no signature (CB-6).
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    return request_head("POST", url, headers)


def _slow_parts(url: WebUrl, body: bytes) -> Sequence[bytes]:
    size = max(1, -(-len(body) // _SLOW_PARTS))
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [_head(url, body), *parts]
