"""Downloads of images wait for places, which the sandboxes share."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mock_server.domain.ports import ImageProblem
from mock_server.runtime.egress import Egress
from mock_server.runtime.fair_places import FairPlaces
from mock_server.runtime.image_checker import HttpImageChecker
from tests.mock_server.runtime.images import (
    LIMIT_S,
    PNG,
    Site,
    index_and_problem,
    page,
    serving,
    sniff,
)
from tests.mock_server.runtime.listening import pass_time, settled, silent, until
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def checking(places: FairPlaces) -> AsyncIterator[tuple[HttpImageChecker, Site]]:
    """Yield a checker with these places, and a site with a good image and hanging ones."""
    checker = HttpImageChecker(Egress.PRIVATE, sniff, places=places, timeout_s=LIMIT_S)
    pages = {"/good": page(PNG)} | {f"/{number}": silent for number in range(5)}
    async with serving(pages) as site:
        yield checker, site
    await checker.aclose()


def hang(checker: HttpImageChecker, site: Site, owner: str, count: int) -> asyncio.Task[object]:
    """Start to check images that do not arrive."""
    urls = site.urls(*(f"/{number}" for number in range(count)))
    return asyncio.create_task(checker.find_bad_image(urls, owner))


async def stop(check: asyncio.Task[object]) -> None:
    check.cancel()
    await asyncio.gather(check, return_exceptions=True)


async def test_hanging_downloads_of_a_sandbox_leave_places_for_another_one() -> None:
    async with checking(FairPlaces(3, 2)) as (checker, site):
        hanging = hang(checker, site, "one", 5)
        await until(lambda: len(site.asked) == 2)

        async with asyncio.timeout(PATIENCE_S):
            assert await checker.find_bad_image(site.urls("/good", "/good"), "other") is None

        assert sorted(site.asked) == ["/0", "/1", "/good", "/good"]
        await stop(hanging)


async def test_waiting_for_a_place_does_not_count_to_the_time_limit() -> None:
    async with checking(FairPlaces(1, 1)) as (checker, site):
        hanging = hang(checker, site, "one", 1)
        await until(lambda: site.asked == ["/0"])
        waiting = asyncio.create_task(checker.find_bad_image(site.urls("/good"), "other"))
        await settled()

        pass_time(LIMIT_S)

        assert await waiting is None
        assert (await asyncio.gather(hanging))[0] is not None


async def test_image_in_a_data_url_needs_no_place() -> None:
    async with checking(FairPlaces(1, 1)) as (checker, site):
        hanging = hang(checker, site, "one", 1)
        await until(lambda: site.asked == ["/0"])

        url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
        async with asyncio.timeout(PATIENCE_S):
            assert await checker.find_bad_image([url], "one") is None

        await stop(hanging)


async def test_ended_downloads_give_their_places_back() -> None:
    places = FairPlaces(2, 2)
    async with checking(places) as (checker, site):
        hanging = hang(checker, site, "one", 5)
        await until(lambda: len(site.asked) == 2)
        await stop(hanging)
        bad = await checker.find_bad_image([*site.urls("/good", "/missing"), "ftp://a/b"], "one")

        assert index_and_problem(bad) == (1, ImageProblem.UNREACHABLE)
        assert places._owners == {}
