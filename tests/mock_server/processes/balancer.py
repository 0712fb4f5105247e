"""Three servers that are one mock, behind HAProxy."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import httpx
import pytest

from tests.mock_server.cli.commands import Started, started
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer

Balance = Literal["roundrobin", "hdr(Authorization)"]

_CONFIG = """
defaults
    mode http
    timeout connect 5s
    timeout client 5m
    timeout server 5m
frontend clients
    bind fd@{listener}
    default_backend mocks
backend mocks
    balance {balance}
    hash-type consistent
{servers}
"""


@contextmanager
def three_servers(redis: RedisServer, database: int) -> Iterator[list[Started]]:
    """Start three servers whose sandboxes are in the same database of Redis."""
    address = f"{redis.address}?db={database}"
    with ExitStack() as stack:
        yield [
            stack.enter_context(started("--store", address, "--log-level", "error"))
            for _ in range(3)
        ]


@contextmanager
def balanced(servers: Sequence[Started], balance: Balance, folder: Path) -> Iterator[str]:
    """Start HAProxy in front of the servers; yield its base URL.

    It inherits its socket, so no other program can take the port meanwhile.
    """
    program = _haproxy()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = folder / "haproxy.cfg"
        lines = [
            f"    server mock{number} {host}:{port}"
            for number, (host, port) in enumerate(server.address for server in servers)
        ]
        config.write_text(
            _CONFIG.format(listener=listener.fileno(), balance=balance, servers="\n".join(lines))
        )
        with subprocess.Popen(
            [program, "-q", "-db", "-f", config], pass_fds=[listener.fileno()]
        ) as process:
            try:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                httpx.get(f"{url}/_mock/ready", trust_env=False, timeout=PATIENCE_S)
                yield url
            finally:
                process.terminate()


def _haproxy() -> str:
    """Return the program, or skip the test where there is none. In CI there must be one."""
    found = shutil.which("haproxy")
    if found is None:
        reason = "needs haproxy (Debian: apt-get install haproxy)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
