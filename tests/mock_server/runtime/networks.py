"""Networks and resolvers that record what is asked of them, and a small server."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore

from tests.mock_server.runtime.listening import listening

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class FakeNetwork(httpcore.AsyncNetworkBackend):
    """Records connections without making any, and fails for the given addresses."""

    def __init__(self, failing: Mapping[str, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.hosts: list[str] = []
        self.timeouts: list[float | None] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.hosts.append(host)
        self.timeouts.append(timeout)
        if host in self.failing:
            raise self.failing[host]
        return httpcore.AsyncMockStream([OK])


class FakeResolver:
    """A resolver that returns its answers in turn and records the names."""

    def __init__(self, *answers: Sequence[str] | OSError | UnicodeError) -> None:
        self.answers = list(answers)
        self.hosts_asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.hosts_asked.append(host)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def forbidden_resolver(host: str) -> Sequence[str]:
    return ["169.254.169.254"]


async def loopback_resolver(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def serving(certificate: Path | None = None) -> AsyncIterator[int]:
    """Answer 200 to the first request of each connection on 127.0.0.1; give the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            writer.write(OK)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    async with listening(answer, context) as port:
        yield port
