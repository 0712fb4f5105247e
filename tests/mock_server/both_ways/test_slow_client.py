"""A client that sends many requests and reads late, on a real socket."""

import asyncio
import re
import socket
from threading import Thread

import pytest

from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.both_ways.twins import Twins
from tests.mock_server.both_ways.watching import WatchedConnection
from tests.patience import PATIENCE_S

SMALL_BYTES = 8 * 1024  # For the buffers of the kernel.
PATTERN = str(3**500)  # Not in a simple order.


async def blocked(watched: WatchedConnection) -> tuple[int, int]:
    """Wait until the server neither reads nor writes; return what it has buffered and received."""
    flow = watched.protocol.flow
    while not (flow.read_paused and flow.write_paused):  # noqa: ASYNC110  # uvicorn tells nobody
        await asyncio.sleep(0)
    return watched.transport.get_write_buffer_size(), watched.received_bytes


@pytest.mark.parametrize("way", ["direct", "ordinary"])
def test_a_slow_client_is_not_buffered_without_bound_and_receives_everything(
    twins: Twins, way: str
) -> None:
    server = twins.direct if way == "direct" else twins.ordinary
    t = Conversation(server, "sk-slow")
    t.close()
    requests = {200: t.balance(), 404: t.status()}
    sent = [404 if int(digit) % 3 else 200 for digit in PATTERN] * 20
    data = b"".join(requests[status] for status in sent)
    host, _, port = server.mock.host.partition(":")

    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
        client.settimeout(PATIENCE_S)
        client.connect((host, int(port)))
        watched = server.watch.connection(client.getsockname()[1])
        kernel: socket.socket = watched.transport.get_extra_info("socket")
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BYTES)
        sender = Thread(target=client.sendall, args=(data,))
        sender.start()
        waiting = asyncio.run_coroutine_threadsafe(blocked(watched), watched.protocol.loop)
        unread_bytes, received_bytes = waiting.result(PATIENCE_S)
        received = bytearray()
        while received.count(b"HTTP/1.1 ") < len(sent):
            received += client.recv(1_000_000)
        sender.join(PATIENCE_S)

    assert unread_bytes < 256 * 1024
    assert received_bytes < len(data) // 2
    assert [int(each) for each in re.findall(rb"HTTP/1\.1 (\d+) ", received)] == sent
