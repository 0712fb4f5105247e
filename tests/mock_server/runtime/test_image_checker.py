"""The checker finds the first unusable reference image within its limits of time and size."""

import asyncio
import base64
import threading
from contextlib import suppress

import pytest

from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.runtime.image_checker import MAX_BYTES, HttpImageChecker
from tests.mock_server.runtime.images import (
    GIF,
    LIMIT_S,
    PNG,
    checking,
    index_and_problem,
    page,
    serving,
    sniff,
)
from tests.mock_server.runtime.listening import (
    endless,
    pass_time,
    settled,
    silent,
    until,
)
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


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
