"""Networks and resolvers that record what is asked of them, and a small server."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mock_server.runtime.egress import Address, Egress
from mock_server.runtime.guarded_client import GuardedClient
from mock_server.runtime.guarded_network import GuardedNetwork
from mock_server.runtime.host_lookup import HostLookup, LookupFailed, Resolver
from mock_server.runtime.request_head import request_head
from mock_server.runtime.web_url import parse_web_url
from tests.mock_server.runtime.listening import listening

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_MAX_BODY_BYTES = 64 * 1024


class FakeNetwork:
    """Records connections without making any, and fails for the given addresses."""

    def __init__(self, failing: Mapping[str, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.hosts: list[str] = []

    async def connect(self, address: Address, port: int) -> socket.socket:
        self.hosts.append(str(address))
        if str(address) in self.failing:
            raise self.failing[str(address)]
        return socket.socket()


class FakeResolver:
    """A resolver that returns its answers in turn and records the names."""

    def __init__(self, *answers: Sequence[str] | LookupFailed) -> None:
        self.answers = list(answers)
        self.hosts_asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.hosts_asked.append(host)
        answer = self.answers.pop(0)
        if isinstance(answer, LookupFailed):
            raise answer
        return answer


class SilentResolver:
    """A resolver that answers when the test says so, and records the names."""

    def __init__(self, answering: Mapping[str, str] | None = None) -> None:
        self.answering = answering or {}
        self.hosts_asked: list[str] = []
        self.may_answer = asyncio.Event()

    async def __call__(self, host: str) -> Sequence[str]:
        self.hosts_asked.append(host)
        if host not in self.answering:
            await self.may_answer.wait()
        return [self.answering.get(host, "127.0.0.1")]


async def no_resolver(host: str) -> Sequence[str]:
    raise AssertionError(f"{host} needs no lookup")


async def loopback_resolver(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


def client_of(
    resolve: Resolver = no_resolver, *, tls: ssl.SSLContext | None = None
) -> GuardedClient:
    return GuardedClient(GuardedNetwork(Egress.LOOPBACK, HostLookup(resolve)), tls=tls)


async def get(client: GuardedClient, url: str) -> bytes | None:
    """Return the body of a response."""
    target = parse_web_url(url)
    response = await client.send(
        target, [request_head("GET", target, {})], max_body_bytes=_MAX_BODY_BYTES
    )
    try:
        return await response.body()
    finally:
        response.release()


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
