"""The servers that are compared: the mock, bare callables, and mock servers that npm installs."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.bare_server import bare_server
from benchmarks.errors import BenchError
from benchmarks.mock import mock_server
from benchmarks.peers import stubs
from benchmarks.peers.installation import installed_program
from benchmarks.processes import free_port, running
from benchmarks.requests import status_request, submit_request
from benchmarks.single import body_of
from benchmarks.wrk import Request


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server answers one operation."""

    port: int
    request: Request

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def check(self) -> None:
        """Send one request. Raise BenchError if the response has no task id."""
        body = body_of(self.port, self.request)
        if b'"taskId"' not in body:
            raise BenchError(f"port {self.port}: the response has no taskId: {body!r}")


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A running server, and where it answers both operations."""

    version: str
    status: Endpoint
    submit: Endpoint
    reset: Callable[[], None] = lambda: None  # Forgets the submits of earlier rounds.


Start = Callable[[int], AbstractContextManager[Contender]]


@contextmanager
def _mock(core: int) -> Iterator[Contender]:
    with mock_server(core) as mock:
        polled = msgspec.structs.replace(mock, key="bench-status")
        yield Contender(
            version=version("apixo-testkit"),
            status=Endpoint(
                port=mock.server.port, request=status_request(polled.submit(1), polled.key)
            ),
            submit=Endpoint(port=mock.server.port, request=submit_request()),
            reset=mock.reset,
        )


@contextmanager
def _bare(core: int) -> Iterator[Contender]:
    with bare_server("status", core) as status, bare_server("submit", core) as submit:
        yield Contender(
            version=version("uvicorn"),
            status=Endpoint(port=status.port, request=_fixed_status()),
            submit=Endpoint(port=submit.port, request=submit_request()),
        )


@contextmanager
def _installed(
    package: str, program: str, arguments: Callable[[Path, int], list[str]], core: int
) -> Iterator[Contender]:
    if package == "wiremock" and shutil.which("java") is None:
        raise BenchError(
            "WireMock needs Java 11 or newer (Debian: apt-get install default-jre-headless);"
            " leave it out with --only"
        )
    path, pinned = installed_program(package, program)
    port, request = free_port(), _fixed_status()
    with tempfile.TemporaryDirectory() as folder:
        command = [path, *arguments(Path(folder), port)]
        with running(command, port=port, probe=request, core=core) as server:
            yield Contender(
                version=pinned,
                status=Endpoint(port=server.port, request=request),
                submit=Endpoint(port=server.port, request=submit_request()),
            )


def _fixed_status() -> Request:
    """Return the status request for a server that gives every task the same status."""
    return status_request([stubs.TASK_ID])


CONTENDERS: dict[str, Start] = {
    "apixo-testkit": _mock,
    "bare": _bare,
    "wiremock": partial(_installed, "wiremock", "wiremock", stubs.wiremock),
    "prism": partial(_installed, "@stoplight/prism-cli", "prism", stubs.prism),
    "mockoon": partial(_installed, "@mockoon/cli", "mockoon-cli", stubs.mockoon),
    "mountebank": partial(_installed, "mountebank", "mb", stubs.mountebank),
}
