"""An HTTP client that connects only to addresses that the egress policy allows.

It is for requests to addresses that clients of the mock chose, so it trusts no server: every part
of a response has a limit. It uses no proxy, keeps no cookies and follows no redirect.
"""

import asyncio
import os
import ssl
from collections.abc import Sequence
from functools import cache
from typing import Final

from mock_server.runtime.guarded_network import GuardedNetwork
from mock_server.runtime.http_connection import HttpConnection, NotReceived
from mock_server.runtime.response_reader import ResponseReader
from mock_server.runtime.transport_errors import ExchangeFailed, describe_failure
from mock_server.runtime.web_url import WebUrl

# Most servers close idle connections later than this, so we rarely write to a closing one.
_KEEP_ALIVE_S: Final = 1.0
MAX_IDLE: Final = 512
# The limits of reading bodies that nobody waits for: time, and connections for each idle one.
_DRAIN_S: Final = 2.0
_DRAINING_PER_IDLE: Final = 1 / 4


class GuardedClient:
    """Sends requests on new or kept-alive connections.

    It keeps up to `max_idle` connections that no request uses.
    """

    def __init__(
        self,
        network: GuardedNetwork,
        *,
        tls: ssl.SSLContext | None = None,
        max_idle: int = MAX_IDLE,
    ) -> None:
        self._network = network
        self._tls = tls
        self._max_idle = max_idle
        self._max_draining = int(max_idle * _DRAINING_PER_IDLE)
        self._idle: dict[str, list[_IdleConnection]] = {}
        self._idle_count = 0
        self._draining: set[HttpConnection] = set()
        self._is_closed = False

    async def send(
        self,
        url: WebUrl,
        parts: Sequence[bytes],
        *,
        owner: str = "",
        max_body_bytes: int,
        pause_s: float = 0,
    ) -> "Response":
        """Send a request and return its response as soon as status and headers are there.

        The parts are the bytes of the request, with a pause after each. They are sent again if the
        server had closed a kept-alive connection before it received any of them; a request that it
        may have received is not sent again. Raise EgressBlocked if the policy forbids the host,
        ExchangeFailed for all other failures.
        """
        kept = self._take_idle(url.origin)
        if kept is not None:
            reader = ResponseReader(max_body_bytes)
            try:
                await kept.exchange(parts, reader, pause_s)
                return Response(self, url, kept, reader)
            except NotReceived:
                pass
        connection = await self._connect(url, owner)
        reader = ResponseReader(max_body_bytes)
        await connection.exchange(parts, reader, pause_s)
        return Response(self, url, connection, reader)

    async def aclose(self) -> None:
        """Close all connections that no request uses."""
        self._is_closed = True
        for connections in self._idle.values():
            for idle in connections:
                idle.close()
        self._idle.clear()
        self._idle_count = 0
        for connection in list(self._draining):
            connection.abort()

    def release(self, origin: str, connection: HttpConnection) -> None:
        """Keep a connection for the next request, if it can carry one, or close it.

        The rest of its response is read first, within limits.
        """
        if connection.may_continue:
            self._keep(origin, connection)
        elif (
            connection.ended().done()
            or len(self._draining) >= self._max_draining
            or self._is_closed
        ):
            connection.abort()
        else:
            self._draining.add(connection)
            limit = asyncio.get_running_loop().call_later(_DRAIN_S, connection.abort)
            connection.ended().add_done_callback(lambda _: self._drained(origin, connection, limit))

    def _drained(self, origin: str, connection: HttpConnection, limit: asyncio.TimerHandle) -> None:
        limit.cancel()
        self._draining.discard(connection)
        if connection.may_continue:
            self._keep(origin, connection)
        else:
            connection.abort()

    async def _connect(self, url: WebUrl, owner: str) -> HttpConnection:
        tls = await self._tls_context() if url.is_tls else None
        sock = await self._network.open_socket(url.host, url.port, owner)
        connection = HttpConnection()
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                sock=sock,
                ssl=tls,
                server_hostname=url.host if url.is_tls else None,
            )
        except OSError as error:
            raise ExchangeFailed(describe_failure(error)) from error
        return connection

    async def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            # Loading the certificates would block the event loop for too long.
            self._tls = await asyncio.to_thread(_default_tls)
        return self._tls

    def _take_idle(self, origin: str) -> HttpConnection | None:
        connections = self._idle.get(origin)
        while connections:
            idle = connections.pop()
            self._idle_count -= 1
            if not connections:
                del self._idle[origin]
            idle.timer.cancel()
            if not idle.connection.is_lost:
                return idle.connection
        return None

    def _keep(self, origin: str, connection: HttpConnection) -> None:
        if self._is_closed or self._idle_count >= self._max_idle:
            connection.abort()
            return
        connection.rest()
        idle = _IdleConnection(connection)
        idle.timer = asyncio.get_running_loop().call_later(
            _KEEP_ALIVE_S, self._expire, origin, idle
        )
        self._idle.setdefault(origin, []).append(idle)
        self._idle_count += 1

    def _expire(self, origin: str, idle: "_IdleConnection") -> None:
        connections = self._idle[origin]
        connections.remove(idle)
        self._idle_count -= 1
        if not connections:
            del self._idle[origin]
        idle.connection.abort()


class Response:
    """A response whose body may still arrive. Call `release` when you need no more of it."""

    def __init__(
        self, client: GuardedClient, url: WebUrl, connection: HttpConnection, reader: ResponseReader
    ) -> None:
        assert reader.status is not None
        self.status = reader.status
        self._client = client
        self._url = url
        self._connection = connection
        self._reader = reader

    def header(self, name: bytes) -> str | None:
        """Return the first header with this name in lower case."""
        return self._reader.header(name)

    async def body(self) -> bytes | None:
        """Return the whole body, or None if it is larger than the limit.

        Raise ExchangeFailed if it is incomplete.
        """
        await self._connection.ended()
        if self._reader.is_too_large:
            return None
        self._connection.check_body()
        return bytes(self._reader.body)

    def release(self) -> None:
        """Give the connection back."""
        self._client.release(self._url.origin, self._connection)


class _IdleConnection:
    __slots__ = ("connection", "timer")

    timer: asyncio.TimerHandle

    def __init__(self, connection: HttpConnection) -> None:
        self.connection = connection

    def close(self) -> None:
        self.timer.cancel()
        self.connection.abort()


@cache
def _default_tls() -> ssl.SSLContext:
    """Return the context that all clients share, because loading the certificates is slow.

    The variables SSL_CERT_FILE and SSL_CERT_DIR replace the certificates of Mozilla's list.
    """
    import certifi  # noqa: PLC0415  # used in a thread only

    is_chosen = any(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    context = ssl.create_default_context(cafile=None if is_chosen else certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
