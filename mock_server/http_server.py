"""The uvicorn server, extended by callbacks for its start and for signals.

This is the only module that overrides methods of `uvicorn.Server` and `uvicorn.Config`. uvicorn
does not document them, so pyproject.toml limits its version and
tests/mock_server/test_uvicorn_api.py checks them.
"""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from mock_server.early_signals import EARLY_SIGNALS
from mock_server.http_protocol import HttpProtocol

log = logging.getLogger("mock_server")

_ANSWERING_S = 1.0  # A server that stops still answers for this time.
_FLUSHING_S = 0.5  # After that, it still sends written data for this time.
# uvicorn itself cancels and logs an error if tasks have not ended by then.
SHUTDOWN_S = 3


class HttpConfig(uvicorn.Config):
    """A configuration with a TLS context of its own; uvicorn makes one from files only."""

    def __init__(self, *args: Any, tls_context: ssl.SSLContext | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tls_context = tls_context

    def load(self) -> None:
        super().load()
        self.ssl = self._tls_context


class HttpServer(uvicorn.Server):
    """Calls `on_start` once it accepts connections.

    With `on_signal`, SIGINT and SIGTERM stop the server after this call. Without it, signals are
    left to the program that the server runs in.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_start: Callable[[], None],
        on_signal: Callable[[signal.Signals], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._on_signal = on_signal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.should_exit:  # A signal came before.
            return
        await super().startup(sockets)
        if self.started:
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer the requests that have arrived, for a limited time."""
        loop = asyncio.get_running_loop()
        steps = [
            loop.call_later(_ANSWERING_S, self._stop_answering),
            loop.call_later(_ANSWERING_S + _FLUSHING_S, self._abort),
        ]
        try:
            await super().shutdown(sockets)
        finally:
            for step in steps:
                step.cancel()

    def _stop_answering(self) -> None:
        """Send no more responses, and close each connection once its client has read the rest."""
        state = self.server_state
        log.warning(
            "stopped before clients had all responses: %d connections and %d requests were open",
            len(state.connections),
            len(state.tasks),
        )
        for connection in self._connections():
            connection.stop_answering()
        for task in tuple(state.tasks):
            task.cancel()

    def _abort(self) -> None:
        for connection in self._connections():
            connection.transport.abort()

    def _connections(self) -> list[HttpProtocol]:
        return [each for each in self.server_state.connections if isinstance(each, HttpProtocol)]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals for the life of the server.

        uvicorn would raise a handled signal again afterwards, so the process would not exit with
        status 0.
        """
        if self._on_signal is not None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            if EARLY_SIGNALS.received is not None:
                self.handle_exit(EARLY_SIGNALS.received, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._on_signal is not None:
            self._on_signal(signal.Signals(sig))
        super().handle_exit(sig, frame)
