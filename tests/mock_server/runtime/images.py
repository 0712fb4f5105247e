"""A site with images for the checker of reference images."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.runtime.egress import Egress
from mock_server.runtime.image_checker import HttpImageChecker
from tests.mock_server.runtime.listening import (
    Write,
    listening,
)

MAGIC = {b"\x89PNG": "PNG", b"\xff\xd8\xff\xe0": "JPEG", b"RIFF": "WEBP", b"GIF8": "GIF"}
PNG = b"\x89PNG and the rest"
GIF = b"GIF89a and the rest"
LIMIT_S = 300  # Longer than any test waits.


def sniff(content: bytes) -> str | None:
    return MAGIC.get(content[:4])


def page(content: bytes = b"", *, status: int = 200, headers: str = "") -> Write:
    async def write(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} Status\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()

    return write


def redirect(location: str, status: int = 302) -> Write:
    return page(status=status, headers=f"Location: {location}\r\n")


class Site:
    """Serves pages by path and records the requested paths."""

    def __init__(self, pages: Mapping[str, Write]) -> None:
        self.pages = pages
        self.base = ""
        self.asked: list[str] = []
        self.lost = asyncio.Event()

    def urls(self, *paths: str) -> list[str]:
        return [self.base + path for path in paths]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ")[1].decode()
                self.asked.append(path)
                await self.pages.get(path, page(status=404))(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.lost.set()
        finally:
            writer.close()


@asynccontextmanager
async def serving(pages: Mapping[str, Write]) -> AsyncIterator[Site]:
    site = Site(pages)
    async with listening(site.serve) as port:
        site.base = f"http://127.0.0.1:{port}"
        yield site


@asynccontextmanager
async def checking(
    sniff: Callable[[bytes], str | None] = sniff,
) -> AsyncIterator[HttpImageChecker]:
    checker = HttpImageChecker(Egress.PRIVATE, sniff, timeout_s=LIMIT_S)
    yield checker
    await checker.aclose()


def index_and_problem(bad: BadImage | None) -> tuple[int, ImageProblem] | None:
    return None if bad is None else (bad.index, bad.problem)
