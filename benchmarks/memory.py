"""Measures what a live task weighs: a million submits into one process, with all that is kept.

Run it with `make bench`. The journal is full after the first submits and does not grow.
"""

import asyncio
import gc
import json
import resource
from pathlib import Path

from starlette.types import Message, Scope

from benchmarks.servers import SUBMIT
from mock_server.domain.ledger import MICRO
from mock_server.settings import Settings
from mock_server.wiring import MockServer

TASKS = 1_000_000
WARM_UP = 20_000
TEN_DAYS_MS = 10 * 86_400_000


def main() -> None:
    gc.set_threshold(100_000, 50, 100)
    app = MockServer(
        Settings(
            seed=1,
            generation_time_ms=TEN_DAYS_MS,
            rate_limit=10_000_000,
            max_concurrent=10_000_000,
            balance_microusd=1_000_000_000 * MICRO,
        )
    )
    asyncio.run(_submit(app, range(WARM_UP)))
    before = _resident_bytes()
    asyncio.run(_submit(app, range(WARM_UP, WARM_UP + TASKS)))
    grown = _resident_bytes() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{TASKS} live tasks: {grown / TASKS:.0f} bytes each, peak {peak / 2**20:.0f} MiB")


async def _submit(app: MockServer, numbers: range) -> None:
    for number in numbers:
        body = json.dumps({"input": {"prompt": f"a red fox that crosses snowy field {number}"}})
        await _request(app, body.encode())


async def _request(app: MockServer, body: bytes) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200, message

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": SUBMIT,
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", b"Bearer bench"),
            (b"content-type", b"application/json"),
        ],
    }
    await app(scope, receive, send)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
