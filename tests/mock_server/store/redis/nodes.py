"""A redis-server on a port of its own, for clusters and Sentinels."""

import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path

from redis.asyncio import Redis

from tests.patience import PATIENCE_S
from tests.redis_server import redis_binary


def free_port() -> int:
    """Return a port whose cluster bus, 10,000 above it, is a valid port, too."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        if port < 55_000:
            return port


class Node:
    """A redis-server on a port of the loopback address."""

    def __init__(self, folder: Path, *options: str, config: str = "") -> None:
        self.port = free_port()
        self.folder = folder / str(self.port)
        self.folder.mkdir()
        file = self.folder / "redis.conf"
        file.write_text(config)
        self.process = subprocess.Popen(
            [
                *(redis_binary(), str(file), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--logfile", str(self.folder / "log")),
                *("--save", "", *options),
            ]
        )

    async def send(self, *command: str | int) -> object:
        async with Redis(host="127.0.0.1", port=self.port) as client:
            client.response_callbacks.clear()  # The answer stays the text that it is.
            answer: object = await client.execute_command(  # type: ignore[no-untyped-call]
                *command
            )
            return answer

    async def until(self, text: str, *command: str) -> None:
        """Wait until the answer to a command contains a text."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    if text in str(await self.send(*command)):
                        return
                except OSError:
                    pass
                except Exception as error:  # noqa: BLE001  # Those of redis-py, while it starts.
                    assert "onnect" in str(error) or "LOADING" in str(error), error  # noqa: PT017
                await asyncio.sleep(0.02)

    def close(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
