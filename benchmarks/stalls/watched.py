"""A mock server whose longest stalls are measured."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.mock import HEALTH, Mock, mock_command
from benchmarks.processes import free_port, running

_PROGRAM = Path(__file__).with_name("watched_server.py")
_TIMEOUT_S = 120
_SWITCHES = ("--clock", "manual", "--image-urls", "fetch", "--egress", "loopback")


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A running mock server with a watch on its event loop."""

    mock: Mock
    watch_port: int

    def longest_stall_ms(self) -> float:
        """Return the longest stall since the last call."""
        with socket.create_connection(("127.0.0.1", self.watch_port), _TIMEOUT_S) as connection:
            return float(connection.makefile().read()) * 1_000


@contextmanager
def watched_server(core: int | None = None) -> Iterator[Watched]:
    """Run a mock server on a core, by default on any, until the block ends."""
    port, watch_port = free_port(), free_port()
    program = [sys.executable, str(_PROGRAM), str(watch_port)]
    command = [*program, *mock_command(port, *_SWITCHES)[1:]]
    with running(command, port=port, probe=HEALTH, core=core) as server:
        yield Watched(mock=Mock(server=server), watch_port=watch_port)
