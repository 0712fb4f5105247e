"""A real Redis for tests: one process per worker, without persistence, on a Unix socket."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from tests.patience import PATIENCE_S

_BINARIES = ("redis-server", "valkey-server")


_GUIDE = Path(__file__).parent.parent / "docs/guides/scaling.md"
USER_PASSWORD = "secret"  # Of a server that exists for a test only.


def documented_user(*, is_in_cluster: bool = False) -> list[str]:
    """Return the command that creates the user for the mock, as the guide shows it."""
    guide = _GUIDE.read_text(encoding="utf-8")
    [line] = re.findall(r"^ACL SETUSER mock .*$", guide, re.MULTILINE)
    [more] = re.findall(r"^In a cluster, it also needs `(.+?)`", guide, re.MULTILINE)
    words = [*line.split(), *(more.split() if is_in_cluster else ())]
    return [word.replace("PASSWORD", USER_PASSWORD) for word in words]


class RedisServer:
    """A `redis-server` that a test may stop and start again.

    If it `has_user`, its address has the user of the guide, with the permissions shown there.
    """

    def __init__(self, binary: str, folder: Path, *, has_user: bool = False) -> None:
        self._binary = binary
        self._folder = folder
        self._has_user = has_user
        self.socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        user = f"mock:{USER_PASSWORD}@" if self._has_user else ""
        return f"redis+unix://{user}{self.socket}"

    def start(self, *options: str) -> None:
        """Start the server and wait until it accepts connections."""
        self._process = subprocess.Popen(
            [
                self._binary,
                *("--port", "0", "--unixsocket", str(self.socket)),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
                *("--io-threads", "1", *options),
            ],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"ready to accept connections" in line.lower():
                break
        else:
            pytest.fail(f"{self._binary} did not start")
        # The rest of its log is not interesting, and a full pipe would block it.
        self._process.stdout.close()
        if self._has_user:
            with SyncRedis(unix_socket_path=str(self.socket)) as client:
                client.execute_command(*documented_user())

    async def send(self, *command: str | bytes | float) -> Any:
        """Send one command."""
        async with Redis(unix_socket_path=str(self.socket), protocol=2) as client:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]  # untyped in redis-py

    async def flush(self, database: int) -> None:
        """Empty a database."""
        async with Redis(unix_socket_path=str(self.socket), db=database) as client:
            await client.flushdb()

    async def configure(self, name: str, value: str) -> None:
        await self.send("CONFIG SET", name, value)

    async def drop_last_entry(self, stream: str) -> None:
        """Remove the newest entry of a stream."""
        [[entry_id, _]] = await self.send("XREVRANGE", stream, "+", "-", "COUNT", 1)
        await self.send("XDEL", stream, entry_id)

    def pause(self) -> None:
        """Let the server accept connections, but answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill the server; it loses its data, unless it writes them to a file."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None


def redis_binary() -> str:
    """Return the program, or skip the test where there is none. In CI there must be one."""
    for name in _BINARIES:
        found = shutil.which(name)
        if found is not None:
            return found
    reason = "needs redis-server (Debian: apt-get install redis-server)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a running server that all tests of this worker share.

    Stores use it with the permissions that the guide documents, so these suffice for all tests.
    """
    server = RedisServer(redis_binary(), tmp_path_factory.mktemp("redis"), has_user=True)
    server.start()
    yield server
    server.stop()
