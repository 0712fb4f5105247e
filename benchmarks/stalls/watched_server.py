"""Run `mock-server` with a watch on its event loop: `watched_server.py PORT [switches]`.

The watch accepts connections at PORT. It answers each with the longest stall since the last one.
"""

import asyncio
import socket
import sys
import time

_PAUSE_S = 0.001


class Watch:
    """Measures how long the event loop does not come back to a task of its own.

    The time is CPU time of the process, so that other programs do not matter. It includes the time
    in which the loop's thread waits because another thread executes Python code.
    """

    def __init__(self) -> None:
        self._longest_s = 0.0

    async def begin(self, port: int) -> None:
        self._server = await asyncio.start_server(self._report, "127.0.0.1", port)
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        before_s = time.process_time()
        while True:
            await asyncio.sleep(_PAUSE_S)
            now_s = time.process_time()
            self._longest_s, before_s = max(self._longest_s, now_s - before_s), now_s

    async def _report(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * _PAUSE_S)  # A stall that has just ended is measured first.
        longest_s, self._longest_s = self._longest_s, 0.0
        writer.write(f"{longest_s}".encode())
        writer.close()


def main() -> None:
    watch, port = Watch(), int(sys.argv.pop(1))

    from mock_server import http_server  # noqa: PLC0415
    from mock_server.__main__ import main as run_server  # noqa: PLC0415

    class WatchedServer(http_server.HttpServer):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await watch.begin(port)
            await super().startup(sockets)

    http_server.HttpServer = WatchedServer  # type: ignore[misc]
    run_server()


if __name__ == "__main__":
    main()
