"""HTTP that connects only where the egress policy lets it.

A host name is resolved once.  Its addresses are judged, and the connection goes to a judged
address and not to the name, so a name that changes its mind in between gains nothing.
"""

import asyncio
import base64
import re
import socket
import ssl
import unicodedata
import zlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import httpcore
import httpx

from mock_server.runtime.egress import Address, Egress, blocked_by
from mock_server.runtime.failures import brief, failure_sentence, translated
from mock_server.runtime.lookups import Lookups, Resolver, system_resolver

_PATIENCE_S = 2.0  # for one address while there are others; long enough for one lost packet
_KEEP_ALIVE_S = 1.0  # shorter than any usual server's, so that we rarely write to a closing one
_POOLS = 64  # for one request httpcore looks at each connection of a pool, often more than once


class Blocked(Exception):
    """The egress policy forbids every address of a host; the text names the policy and the rule."""

    def __init__(self, host: str, address: Address, rule: str, egress: Egress) -> None:
        owner = "" if host == str(address) else f" (the address of {host})"
        super().__init__(f"blocked by egress policy '{egress}': {rule}{owner}")
        self.host = host
        self.address = address
        self.rule = rule


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to allowed addresses only.

    Raises Blocked when the policy forbids all addresses of a host, and httpcore.ConnectError when
    the host has no address or none of the allowed ones can be reached.
    """

    def __init__(
        self,
        egress: Egress,
        resolve: Resolver = system_resolver,
        *,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._egress = egress
        self._lookups = Lookups(resolve)
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = self._allowed(host, await self._lookups.addresses(host))
        options = list(socket_options or ())
        failures = []
        for number, address in enumerate(addresses, start=1):
            patience = timeout if number == len(addresses) else _shorter(_PATIENCE_S, timeout)
            try:
                stream = await self._network.connect_tcp(
                    str(address), port, patience, local_address, options
                )
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failures.append(failure_sentence(error))
        raise httpcore.ConnectError(", ".join(dict.fromkeys(failures)))

    async def connect_unix_socket(
        self,
        path: str,  # here and below: httpcore's signature
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("sockets in the file system are not for user-given addresses")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    def _allowed(self, host: str, addresses: Sequence[Address]) -> list[Address]:
        allowed = []
        blocked = []
        for address in addresses:
            rule = blocked_by(address, self._egress)
            if rule is None:
                allowed.append(address)
            else:
                blocked.append(Blocked(host, address, rule, self._egress))
        if blocked and not allowed:
            raise blocked[0]
        return allowed


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that closes itself when its TLS handshake is cancelled; httpcore's does not."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class GuardedTransport(httpx.AsyncBaseTransport):
    """A pooled httpx transport behind the guard; it knows no proxy and follows no redirect.

    Raises Blocked for the policy and httpx.TransportError, with a sentence fit for a report, for
    everything else that can go wrong.
    """

    def __init__(
        self,
        egress: Egress,
        resolve: Resolver = system_resolver,
        *,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        tls = ssl_context or httpx.create_ssl_context()
        backend = GuardedBackend(egress, resolve)
        self._pools = [
            httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=None,  # the callers have limits that know about receivers
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
        with translated():
            response = await self._pool_for(url).handle_async_request(outgoing)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()

    def _pool_for(self, url: httpx.URL) -> httpcore.AsyncConnectionPool:
        return self._pools[zlib.crc32(url.netloc) % len(self._pools)]


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with translated():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with translated():
            await self._response.aclose()


def web_url(text: str) -> httpx.URL:
    """Read an absolute http or https address; raise ValueError with a sentence for other text."""
    try:
        url = httpx.URL(_with_dotted_host(text))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(brief(f"not a usable address: {error}")) from error
    if url.scheme not in _SCHEMES:
        raise ValueError("not an http or https address")
    if not url.raw_host:
        raise ValueError("not a usable address: it names no host")
    if url.port is not None and not 0 < url.port <= 65535:
        raise ValueError(f"not a usable address: there is no port {url.port}")
    return url


def _with_dotted_host(text: str) -> str:
    """Write a numeric IPv4 host, such as octal 0177.0.0.1, the usual way; httpx knows only some."""
    found = _NUMERIC_HOST.match(text)
    if found is None:
        return text
    try:
        dotted = socket.inet_ntoa(
            socket.inet_aton(unicodedata.normalize("NFKC", found[2]).rstrip("."))
        )
    except OSError:
        return text
    return f"{found[1]}{dotted}{text[found.end() :]}"


def credentials(url: httpx.URL) -> dict[str, str]:
    """Return the header that `user:password@` in an address asks for, if any."""
    if not url.userinfo:
        return {}
    pair = f"{url.username}:{url.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _shorter(seconds: float, limit: float | None) -> float:
    return seconds if limit is None else min(seconds, limit)


_SCHEMES: Final = frozenset({"http", "https"})
_NUMERIC_HOST: Final = re.compile(
    r"(\s*https?://(?:[^/?#@]*@)?)([\w.。]+)\.?(?=[:/?#]|$)", re.IGNORECASE
)
