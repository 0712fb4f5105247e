"""Watch the connections within a server, so that tests know when it has done its work.

A segment that a client has sent arrives some time later, perhaps together with the next one.
A test that waits for its arrival before it sends more decides how the server sees the data.
"""

import asyncio
from collections.abc import Callable
from threading import Condition
from typing import Any, cast

import uvicorn

from mock_server.direct_protocol import DirectProtocol
from mock_server.http_protocol import HttpProtocol
from tests.patience import PATIENCE_S

_QUIET_TURNS = 8  # Turns of the event loop after which a request that can go on has gone on.


class Watch:
    """All connections of a server, by the port of the client."""

    def __init__(self) -> None:
        self.changed = Condition()
        self._connections: dict[int, WatchedConnection] = {}

    def install(self, config: uvicorn.Config) -> uvicorn.Config:
        """Watch the connections of a server with this configuration."""
        make = cast("Callable[..., HttpProtocol]", config.http)

        def watched(**arguments: Any) -> WatchedConnection:
            return WatchedConnection(self, make(**arguments))

        config.http = cast("type[asyncio.Protocol]", watched)
        return config

    def add(self, port: int, connection: "WatchedConnection") -> None:
        with self.changed:
            self._connections[port] = connection
            self.changed.notify_all()

    def remove(self, port: int) -> None:
        """Forget a connection that is lost, because its port may be used again."""
        with self.changed:
            self._connections.pop(port, None)

    def has_written(self, text: str) -> bool:
        """Tell whether the server has sent this text on a connection that is open."""
        with self.changed:
            return any(text.encode() in each.written for each in self._connections.values())

    def connection(self, port: int) -> "WatchedConnection":
        """Return the connection of a client, once the server has accepted it."""
        with self.changed:
            assert self.changed.wait_for(lambda: port in self._connections, PATIENCE_S)
            return self._connections[port]


class WatchedConnection(asyncio.Protocol):
    """Passes everything on to the protocol of a connection, and notes what happens."""

    def __init__(self, watch: Watch, protocol: HttpProtocol) -> None:
        self.calls = 0  # Requests that reached the application over ASGI.
        self.received_bytes = 0
        self.is_closed_by_server = False  # Before its client has stopped sending.
        self.is_aborted = False
        self.has_stopped_sending = False
        self.written = bytearray()
        self.protocol = protocol
        self._watch = watch
        self._is_lost = False
        app = protocol._application

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            self.calls += 1
            await app(scope, receive, send)

        protocol._application = counting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        tapped = cast("asyncio.Transport", _Tap(transport, self))
        self.transport = tapped
        self.protocol.connection_made(tapped)
        self._port: int = transport.get_extra_info("peername")[1]
        self._watch.add(self._port, self)

    def data_received(self, data: bytes) -> None:
        self.protocol.data_received(data)
        with self._watch.changed:
            self.received_bytes += len(data)
            self._watch.changed.notify_all()

    def eof_received(self) -> bool | None:
        self.has_stopped_sending = True
        return cast("bool | None", self.protocol.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self.protocol.connection_lost(exc)
        self._watch.remove(self._port)
        with self._watch.changed:
            self._is_lost = True
            self._watch.changed.notify_all()

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()

    def wait_for(self, received_bytes: int) -> None:
        """Wait until so many bytes have arrived, or none can."""
        with self._watch.changed:
            assert self._watch.changed.wait_for(
                lambda: self.received_bytes >= received_bytes or self.is_over, PATIENCE_S
            )

    def wait_until_lost(self) -> None:
        with self._watch.changed:
            assert self._watch.changed.wait_for(lambda: self._is_lost, PATIENCE_S)

    def settle(self) -> None:
        """Wait until the server has done all it can with what has arrived."""
        loop = self.protocol.loop
        asyncio.run_coroutine_threadsafe(self._settle(), loop).result(PATIENCE_S)

    @property
    def is_over(self) -> bool:
        """Whether the server reads no more."""
        return self._is_lost or self.transport.is_closing()

    async def _settle(self) -> None:
        turns = 0
        while turns < _QUIET_TURNS:
            await asyncio.sleep(0)
            turns = 0 if self._is_busy() else turns + 1

    def _is_busy(self) -> bool:
        cycle = self.protocol.cycle
        if isinstance(self.protocol, DirectProtocol) and self.protocol.is_busy:
            return not self.is_over
        if self.is_over or cycle is None:
            return False
        return bool(self.protocol.pipeline) or not (
            cycle.response_complete
            or cycle.more_body
            or cycle.disconnected  # The connection ends, and this request is not answered.
        )


class _Tap:
    """The transport of a connection, which notes what the server does with it."""

    def __init__(self, transport: asyncio.BaseTransport, connection: WatchedConnection) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._connection.written += data
        self._transport.write(data)

    def close(self) -> None:
        self._note_end()
        self._transport.close()

    def write_eof(self) -> None:
        self._note_end()
        self._transport.write_eof()

    def abort(self) -> None:
        self._note_end()
        self._connection.is_aborted = True
        self._transport.abort()

    def _note_end(self) -> None:
        if not self._transport.is_closing() and not self._connection.has_stopped_sending:
            self._connection.is_closed_by_server = True
