"""Servers that make their clients work hard."""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import create_server, socket
from threading import Thread

_PARTS = 200_000
_FLOOD = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def flood_of_headers() -> Iterator[str]:
    """Run a receiver that sends 1xx responses until its client leaves."""

    def answer(connection: socket) -> None:
        while True:
            connection.sendall(_FLOOD)

    with _serving(answer) as url:
        yield url


@contextmanager
def chunked_image() -> Iterator[str]:
    """Run a server with a PNG file of 200,000 chunks."""
    size = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0")
    parts = [_chunk(b"IHDR", size), _chunk(b"tEXt", b"") * _PARTS]
    image = b"".join([b"\x89PNG\r\n\x1a\n", *parts, _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")])

    with _serving(lambda connection: connection.sendall(_HEAD % len(image) + image)) as url:
        yield url


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


@contextmanager
def _serving(answer: Callable[[socket], None]) -> Iterator[str]:
    with create_server(("127.0.0.1", 0), backlog=128) as listener:
        Thread(target=_accept, args=[listener, answer], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(2)


def _accept(listener: socket, answer: Callable[[socket], None]) -> None:
    with suppress(OSError):  # The listener is closed.
        while True:
            connection, _ = listener.accept()
            Thread(target=_serve, args=[connection, answer], daemon=True).start()


def _serve(connection: socket, answer: Callable[[socket], None]) -> None:
    with connection, suppress(OSError):  # The client has left.
        connection.recv(1 << 16)
        answer(connection)
