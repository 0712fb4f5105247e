"""An httpx transport that connects only to addresses that the egress policy allows."""

import ssl
import zlib
from collections.abc import AsyncIterator
from functools import cache

import httpcore
import httpx

from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_network import GuardedBackend
from mock_server.runtime.resolver import Resolver, system_resolver
from mock_server.runtime.transport_errors import translate_errors

# Most servers close idle connections later than this, so we rarely write to a closing one.
_KEEP_ALIVE_S = 1.0
# For each request httpcore scans every connection of a pool, so small pools are faster.
_POOLS = 64


class GuardedTransport(httpx.AsyncBaseTransport):
    """A pooled transport that uses no proxy and follows no redirect.

    Requests raise EgressBlocked if the policy forbids the host. All other failures raise
    httpx.TransportError with a short reason that a report can show.
    """

    def __init__(
        self,
        egress: Egress,
        resolve: Resolver = system_resolver,
        *,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        tls = ssl_context or _default_tls()
        backend = GuardedBackend(egress, resolve)
        self._pools = [
            httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=None,  # The callers limit connections per receiver instead.
                max_keepalive_connections=None,
                keepalive_expiry=_KEEP_ALIVE_S,
                network_backend=backend,
            )
            for _ in range(_POOLS)
        ]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = request.url
        outgoing = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with translate_errors():
            response = await self._pool_for(url).handle_async_request(outgoing)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_ResponseBody(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()

    def _pool_for(self, url: httpx.URL) -> httpcore.AsyncConnectionPool:
        return self._pools[zlib.crc32(url.netloc) % len(self._pools)]


@cache
def _default_tls() -> ssl.SSLContext:
    """Return the context that all transports share: to load the trusted certificates is slow."""
    return httpx.create_ssl_context()


class _ResponseBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with translate_errors():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with translate_errors():
            await self._response.aclose()
