"""The checker finds the first unusable reference image within its limits of time and size."""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.runtime.egress import Egress
from mock_server.runtime.image_checker import HttpImageChecker
from tests.mock_server.runtime.listening import (
    Write,
    endless,
    listening,
    pass_time,
    settled,
    silent,
    until,
)
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

MAGIC = {b"\x89PNG": "PNG", b"\xff\xd8\xff\xe0": "JPEG", b"RIFF": "WEBP", b"GIF8": "GIF"}
PNG = b"\x89PNG and the rest"
GIF = b"GIF89a and the rest"
MAX_BYTES = 200_000
LIMIT_S = 300  # longer than any test waits


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
    checker = HttpImageChecker(Egress.PRIVATE, sniff, timeout_s=LIMIT_S, max_bytes=MAX_BYTES)
    yield checker
    await checker.aclose()


@pytest.fixture
async def checker() -> AsyncIterator[HttpImageChecker]:
    async with checking() as checker:
        yield checker


def index_and_problem(bad: BadImage | None) -> tuple[int, ImageProblem] | None:
    return None if bad is None else (bad.index, bad.problem)


async def test_no_images_and_supported_images_are_valid(checker: HttpImageChecker) -> None:
    pages = {"/a": page(PNG), "/b": page(b"\xff\xd8\xff\xe0"), "/c": page(b"RIFF")}
    async with serving(pages) as site:
        assert await checker.find_bad_image([]) is None
        assert await checker.find_bad_image(site.urls("/a", "/b", "/c", "/a")) is None


@pytest.mark.parametrize("content", [GIF, b"<html>", b""], ids=["GIF", "HTML", "nothing"])
async def test_the_content_decides_and_not_the_content_type(
    checker: HttpImageChecker, content: bytes
) -> None:
    typed = page(content, headers="Content-Type: image/png\r\n")
    untyped = page(PNG, headers="Content-Type: text/html\r\n")
    async with serving({"/a.png": typed, "/b.txt": untyped}) as site:
        bad = await checker.find_bad_image(site.urls("/b.txt", "/a.png"))

    assert index_and_problem(bad) == (1, ImageProblem.WRONG_FORMAT)


async def test_the_bad_image_with_the_lowest_index_is_returned(checker: HttpImageChecker) -> None:
    async with serving({"/good": page(PNG), "/gif": page(GIF)}) as site:
        bad = await checker.find_bad_image(site.urls("/good", "/missing", "/gif"))

    assert index_and_problem(bad) == (1, ImageProblem.UNREACHABLE)
    assert bad is not None
    assert bad.reason == f"{site.base}/missing: the server returned status 404"


async def test_the_check_does_not_wait_for_images_after_the_bad_one(
    checker: HttpImageChecker,
) -> None:
    async with serving({"/gif": page(GIF), "/slow": silent}) as site, asyncio.timeout(PATIENCE_S):
        bad = await checker.find_bad_image(site.urls("/gif", "/slow"))

    assert index_and_problem(bad) == (0, ImageProblem.WRONG_FORMAT)


async def test_all_images_are_fetched_at_the_same_time(checker: HttpImageChecker) -> None:
    barrier = asyncio.Barrier(3)

    async def together(writer: asyncio.StreamWriter) -> None:
        await barrier.wait()
        await page(PNG)(writer)

    async with serving({"/a": together, "/b": together, "/c": together}) as site:
        async with asyncio.timeout(PATIENCE_S):
            assert await checker.find_bad_image(site.urls("/a", "/b", "/c")) is None


async def test_an_image_that_is_incomplete_at_the_timeout_is_unreachable(
    checker: HttpImageChecker,
) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\x89PNG")
        await silent(writer)

    pages = {"/good": page(PNG), "/half": half}
    async with serving(pages) as site:
        check = asyncio.create_task(checker.find_bad_image(site.urls("/good", "/half")))
        await until(lambda: sorted(site.asked) == ["/good", "/half"])
        await settled()
        pass_time(LIMIT_S)
        bad = await check

    assert bad == BadImage(1, ImageProblem.UNREACHABLE, f"{site.base}/half: incomplete after 300 s")


async def test_content_of_exactly_the_limit_is_valid(checker: HttpImageChecker) -> None:
    async with serving({"/full": page(PNG.ljust(MAX_BYTES))}) as site:
        assert await checker.find_bad_image(site.urls("/full")) is None


async def test_one_byte_more_than_the_limit_is_too_large(checker: HttpImageChecker) -> None:
    async with serving({"/more": page(PNG.ljust(MAX_BYTES + 1))}) as site:
        bad = await checker.find_bad_image(site.urls("/more"))

    assert index_and_problem(bad) == (0, ImageProblem.TOO_LARGE)


async def test_an_endless_content_is_not_read_to_its_end(checker: HttpImageChecker) -> None:
    async with serving({"/endless": endless}) as site, asyncio.timeout(PATIENCE_S):
        bad = await checker.find_bad_image(site.urls("/endless"))
        await site.lost.wait()

    assert index_and_problem(bad) == (0, ImageProblem.TOO_LARGE)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_three_redirects_are_followed(checker: HttpImageChecker, status: int) -> None:
    pages = {
        "/1": redirect("/2", status),
        "/2": redirect("deep/../3?x=1", status),
        "/3?x=1": redirect("/4", status),
        "/4": page(PNG),
    }
    async with serving(pages) as site:
        assert await checker.find_bad_image(site.urls("/1")) is None

    assert site.asked == ["/1", "/2", "/3?x=1", "/4"]


async def test_a_fourth_redirect_is_not_followed(checker: HttpImageChecker) -> None:
    async with serving({"/loop": redirect("/loop")}) as site:
        bad = await checker.find_bad_image(site.urls("/loop"))

    assert bad == BadImage(0, ImageProblem.UNREACHABLE, f"{site.base}/loop: more than 3 redirects")
    assert site.asked == ["/loop"] * 4


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/", 'blocked by egress policy "private"'),
        ("http://2852039166/", 'blocked by egress policy "private"'),
        ("//8.8.8.8/", "8.8.8.8 is neither loopback nor private"),
        ("file:///etc/passwd", "not an http or https URL"),
        ("data:image/png;base64,", "not an http or https URL"),
        ("http://[oops/", "Invalid IPv6 URL"),
        ("http://x:port/", "Invalid port"),
    ],
)
async def test_the_egress_policy_applies_to_redirects(
    checker: HttpImageChecker, location: str, reason: str
) -> None:
    async with serving({"/r": redirect(location)}) as site:
        bad = await checker.find_bad_image(site.urls("/r"))

    assert index_and_problem(bad) == (0, ImageProblem.UNREACHABLE)
    assert bad is not None
    assert reason in bad.reason


async def test_a_redirect_without_a_location_is_an_unexpected_status(
    checker: HttpImageChecker,
) -> None:
    async with serving({"/r": page(status=302)}) as site:
        bad = await checker.find_bad_image(site.urls("/r"))

    assert bad is not None
    assert bad.reason.endswith("the server returned status 302")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/", "169.254.169.254 is link-local"),
        ("ftp://example.test/a.png", "not an http or https URL"),
        ("", "not an http or https URL"),
        ("http://[oops]/", "Invalid"),
    ],
)
async def test_an_invalid_address_is_unreachable_with_the_reason(
    checker: HttpImageChecker, url: str, reason: str
) -> None:
    bad = await checker.find_bad_image([url])

    assert index_and_problem(bad) == (0, ImageProblem.UNREACHABLE)
    assert bad is not None
    assert reason in bad.reason


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
        f"data:,{quote_from_bytes(PNG)}",
        f"DATA:text/plain;BASE64,{base64.b64encode(PNG.ljust(MAX_BYTES)).decode()}",
    ],
    ids=["base64", "percent-encoded", "large"],
)
async def test_a_supported_image_in_a_data_url_is_valid(
    checker: HttpImageChecker, url: str
) -> None:
    assert await checker.find_bad_image([url]) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"data:image/png,{quote_from_bytes(GIF)}", ImageProblem.WRONG_FORMAT),
        ("data:image/png;base64,????", ImageProblem.WRONG_FORMAT),
        ("data:image/png;base64", ImageProblem.WRONG_FORMAT),
        (f"data:,{'x' * MAX_BYTES}x", ImageProblem.TOO_LARGE),
        (f"data:;base64,{'AAAA' * MAX_BYTES}", ImageProblem.TOO_LARGE),
    ],
    ids=["GIF", "not base64", "no content", "large", "large base64"],
)
async def test_an_invalid_data_url_has_a_short_reason(
    checker: HttpImageChecker, url: str, problem: ImageProblem
) -> None:
    bad = await checker.find_bad_image([url])

    assert index_and_problem(bad) == (0, problem)
    assert bad is not None
    assert len(bad.reason) < 250


async def test_large_content_is_checked_in_a_thread() -> None:
    threads: dict[int, int] = {}

    def noting(content: bytes) -> str | None:
        threads[len(content)] = threading.get_ident()
        return sniff(content)

    large = PNG.ljust(MAX_BYTES)
    data = f"data:;base64,{base64.b64encode(large[:-1]).decode()}"
    pages = {"/large": page(large), "/small": page(PNG)}
    async with serving(pages) as site, checking(noting) as checker:
        assert await checker.find_bad_image([*site.urls("/large", "/small"), data]) is None

    assert threads.pop(len(PNG)) == threading.get_ident()
    assert threading.get_ident() not in threads.values()
    assert len(threads) == 2


async def test_a_check_can_be_cancelled(checker: HttpImageChecker) -> None:
    async with serving({"/slow": silent}) as site:
        running = asyncio.create_task(checker.find_bad_image(site.urls("/slow")))
        await until(lambda: site.asked == ["/slow"])
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    assert running.cancelled()


@pytest.fixture(scope="module")
def check() -> Iterator[Callable[[str], BadImage | None]]:
    """Check one address with a checker whose host names all resolve to a forbidden address."""

    async def resolve(host: str) -> Sequence[str]:
        return ["169.254.169.254"]

    async def open_checker() -> HttpImageChecker:
        return HttpImageChecker(Egress.LOOPBACK, sniff, resolve=resolve)

    with asyncio.Runner() as runner:
        checker = runner.run(open_checker())
        yield lambda url: runner.run(checker.find_bad_image([url]))
        runner.run(checker.aclose())


@given(
    start=st.sampled_from(["", "http://", "https://[", "data:", "data:;base64,"]), rest=st.text()
)
def test_any_text_as_an_address_gives_a_short_reason(
    check: Callable[[str], BadImage | None], start: str, rest: str
) -> None:
    bad = check(start + rest)

    assert bad is not None
    assert 0 < len(bad.reason) <= 500
