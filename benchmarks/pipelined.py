"""Submit many tasks quickly: a batch of requests is written before its responses are read."""

import re
import socket
from collections.abc import Iterator

from benchmarks.errors import BenchError
from benchmarks.requests import SUBMIT_PATH, submit_body

_BATCH = 100  # The requests and responses of a batch fit into the buffers of a socket.
_TIMEOUT_S = 60
_CHUNK_BYTES = 1 << 18
_SUCCESS = b"HTTP/1.1 200 "
_END = b"}}"  # Ends each response to a submit, and occurs nowhere else in it.
_TASK_ID = re.compile(rb'"taskId":"([^"]+)"')


def submit_tasks(port: int, count: int, key: str, callback_url: str | None = None) -> list[str]:
    """Submit tasks with different prompts of 50 characters. Return their ids in order.

    With `callback_url`, they are callback tasks. Two connections take turns, so that the server
    works while responses are read. Raise BenchError if a submit is rejected.
    """
    found: list[str] = []
    with _connection(port) as first, _connection(port) as second:
        waiting: list[tuple[socket.socket, int]] = []
        for number, batch in enumerate(_batches(count)):
            connection = (first, second)[number % 2]
            connection.sendall(b"".join(_request(each, key, callback_url) for each in batch))
            waiting.append((connection, len(batch)))
            if len(waiting) == 2:
                found += _task_ids(*waiting.pop(0))
        for each in waiting:
            found += _task_ids(*each)
    return found


def _batches(count: int) -> Iterator[range]:
    for first in range(0, count, _BATCH):
        yield range(first, min(first + _BATCH, count))


def _connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)


def _request(number: int, key: str, callback_url: str | None) -> bytes:
    body = submit_body(number, callback_url).encode()
    return (
        f"POST {SUBMIT_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _task_ids(connection: socket.socket, count: int) -> list[str]:
    """Read the responses to a batch."""
    received = b""
    try:
        while received.count(_END) < count and (chunk := connection.recv(_CHUNK_BYTES)):
            received += chunk
    except TimeoutError:
        pass  # A response that does not end as expected is reported below.
    if received.count(_SUCCESS) != count or received.count(_END) != count:
        rejected = re.search(rb"HTTP/1.1 (?!200 )[\s\S]{1,500}", received)
        shown = rejected[0].decode(errors="replace") if rejected else "no response"
        raise BenchError(f"a submit failed: {shown}")
    return [each.decode() for each in _TASK_ID.findall(received)]
