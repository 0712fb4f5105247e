"""The connection of a client."""

import socket
import ssl
from contextlib import suppress
from threading import Thread

from tests.mock_server.both_ways.server import Server
from tests.mock_server.both_ways.watching import WatchedConnection
from tests.patience import PATIENCE_S


class Line:
    """A connection whose client reads all the time, so that it never keeps the server waiting.

    With TLS the client reads at the end only, because an SSL socket is for one thread.
    """

    def __init__(self, server: Server) -> None:
        self._socket = server.mock.connect()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.watched: WatchedConnection = server.watch.connection(self._socket.getsockname()[1])
        self._sent_bytes = 0
        self._received: list[bytes] = []
        self._reader = Thread(target=self._read)
        if not isinstance(self._socket, ssl.SSLSocket):
            self._reader.start()

    def send(self, *segments: bytes) -> None:
        for segment in segments:
            if self.watched.is_over:
                return
            try:
                self._socket.sendall(segment)
            except OSError:  # The server has closed the connection in the meantime.
                return
            self._sent_bytes += len(segment)
            self.watched.wait_for(self._sent_bytes)

    def half_close(self) -> None:
        with suppress(OSError):  # The server may have closed the connection.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)  # That of TLS forgets the keys.

    def end(self) -> bytes:
        """Close the connection once everything is answered; return what came."""
        self.watched.settle()
        self.close()
        self.watched.wait_until_lost()
        return b"".join(self._received)

    def close(self) -> None:
        """Close the connection after its server has done so."""
        if self._socket.fileno() < 0:
            return
        self.half_close()
        if isinstance(self._socket, ssl.SSLSocket):
            self._read()
        else:
            self._reader.join(PATIENCE_S)
            assert not self._reader.is_alive(), "the server did not close the connection"
        self._socket.close()

    def _read(self) -> None:
        # A server that closes the connection before it has read everything may reset it.
        with suppress(ConnectionResetError, ssl.SSLError):
            while data := self._socket.recv(262_144):
                self._received.append(data)
