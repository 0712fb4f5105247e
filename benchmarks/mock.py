"""Run the mock server with everything on but the request log, and without reaching a limit."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from benchmarks.pipelined import submit_tasks
from benchmarks.processes import Server, free_port, python_command, running
from benchmarks.requests import KEY
from benchmarks.single import body_of
from benchmarks.wrk import Request

HEALTH = Request(paths=["/_mock/health"])
# No limit is reached, so that every request does its whole work; every task stays live.
_SWITCHES = [
    *("--seed", "1", "--generation-time", "10d", "--log-level", "warning"),
    *("--rate-limit", "10000000", "--max-concurrent", "10000000", "--balance", "1000000000"),
]


class Mock(msgspec.Struct, frozen=True, kw_only=True):
    """A running mock server and the sandbox of one key."""

    server: Server
    key: str = KEY

    @property
    def url(self) -> str:
        return self.server.url

    def submit(self, count: int, callback_url: str | None = None) -> list[str]:
        """Submit tasks, callback tasks with `callback_url`, and return their ids."""
        return submit_tasks(self.server.port, count, self.key, callback_url)

    def reset(self) -> None:
        """Remove the tasks, the rules and the journal of the sandbox."""
        self.control("DELETE", "sandbox")

    def control(self, method: str, call: str, content: object = None) -> Any:
        """Make a control call and return its content. Raise BenchError if it fails."""
        body = body_of(
            self.server.port,
            Request(
                method=method,
                paths=[f"/_mock/{call}"],
                headers={
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                },
                body=None if content is None else json.dumps(content),
            ),
        )
        return json.loads(body) if body else None


def mock_command(port: int, *switches: str) -> list[str]:
    return [python_command("mock-server"), *_SWITCHES, *switches, "--port", str(port)]


@contextmanager
def mock_server(core: int, *switches: str) -> Iterator[Mock]:
    """Run a mock server on a core until the block ends."""
    port = free_port()
    command = mock_command(port, *switches)
    with running(command, port=port, probe=HEALTH, core=core) as server:
        yield Mock(server=server)
