"""Small servers on loopback that send fixed responses, or none."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread


def says(status: int, body: object, **headers: str) -> bytes:
    """Return an answer as it goes over the wire."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def envelope(code: int, data: object = None, message: str = "so", **headers: str) -> bytes:
    return says(code, {"code": code, "message": message, "data": data}, **headers)


class Loopback:
    """Gives each request the next answer, and goes on with the last; without any, hangs."""

    def __init__(self, listener: socket.socket, answers: tuple[bytes, ...]) -> None:
        self._listener = listener
        self._answers = list(answers)
        self._held: list[socket.socket] = []
        self.was_asked = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            if not self._answers:
                connection.recv(65536)
                self._held.append(connection)
                self.was_asked.set()
                continue
            with connection:
                _read_request(connection)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                connection.sendall(answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._held:
            connection.close()


@contextmanager
def serving(*answers: bytes) -> Iterator[Loopback]:
    server = Loopback(socket.create_server(("127.0.0.1", 0)), answers)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def nobody() -> str:
    """Return an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _read_request(connection: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            while len(body) < int(value):
                body += connection.recv(65536)
