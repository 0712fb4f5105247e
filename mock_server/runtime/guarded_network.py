"""Open TCP connections only to addresses that the egress policy allows.

Each host name is resolved once. The policy judges the resolved addresses, and the connection goes
to an allowed address, not to the name. A DNS answer that changes in between has no effect.
"""

import asyncio
import ssl
from collections.abc import Iterable, Sequence

import httpcore

from mock_server.runtime.egress import Address, Egress, blocking_rule
from mock_server.runtime.resolver import Resolver, SharedResolver, system_resolver
from mock_server.runtime.transport_errors import describe_failure

# The time limit for every address but the last; it allows one lost packet to be repeated.
_CONNECT_TIMEOUT_S = 2.0


class EgressBlocked(Exception):
    """The egress policy forbids every address of a host; the text names the policy and the rule."""

    def __init__(self, host: str, address: Address, rule: str, egress: Egress) -> None:
        owner = "" if host == str(address) else f" (the address of {host})"
        super().__init__(f'blocked by egress policy "{egress}": {rule}{owner}')
        self.host = host
        self.address = address
        self.rule = rule


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """A network backend of httpcore that connects to allowed addresses only.

    `connect_tcp` raises EgressBlocked if the policy forbids all addresses of a host. It raises
    httpcore.ConnectError if the host has no address or no allowed address can be reached.
    """

    def __init__(
        self,
        egress: Egress,
        resolve: Resolver = system_resolver,
        *,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._egress = egress
        self._resolver = SharedResolver(resolve)
        self._network = network or httpcore.AnyIOBackend()

    # httpcore dictates the signatures of the methods below.
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = self._allowed(host, await self._resolver.addresses(host))
        options = list(socket_options or ())
        failures = []
        for number, address in enumerate(addresses, start=1):
            timeout_s = timeout if number == len(addresses) else _at_most(timeout)
            try:
                stream = await self._network.connect_tcp(
                    str(address), port, timeout_s, local_address, options
                )
                return _GuardedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failures.append(describe_failure(error))
        raise httpcore.ConnectError(", ".join(dict.fromkeys(failures)))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("Unix sockets are not allowed")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    def _allowed(self, host: str, addresses: Sequence[Address]) -> list[Address]:
        allowed = []
        blocked = []
        for address in addresses:
            rule = blocking_rule(address, self._egress)
            if rule is None:
                allowed.append(address)
            else:
                blocked.append(EgressBlocked(host, address, rule, self._egress))
        if blocked and not allowed:
            raise blocked[0]
        return allowed


class _GuardedStream(httpcore.AsyncNetworkStream):
    """A connection that closes when its TLS handshake is cancelled; httpcore leaves it open."""

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


def _at_most(timeout_s: float | None) -> float:
    return _CONNECT_TIMEOUT_S if timeout_s is None else min(_CONNECT_TIMEOUT_S, timeout_s)
