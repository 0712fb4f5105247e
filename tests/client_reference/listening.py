"""A server on loopback that does what a test tells it with each connection."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from tests.patience import PATIENCE_S


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Let `answer` handle each connection; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # It was closed.
                return
            with connection, suppress(OSError):
                answer(connection)

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE_S)
