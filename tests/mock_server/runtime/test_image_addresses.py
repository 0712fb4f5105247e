"""Which addresses of reference images are fetched: redirects, forbidden ones and data URLs."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.runtime.egress import Egress
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.image_checker import MAX_BYTES, HttpImageChecker
from tests.mock_server.runtime.images import (
    GIF,
    PNG,
    index_and_problem,
    page,
    redirect,
    serving,
    sniff,
)
from tests.mock_server.runtime.networks import SilentResolver
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


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
        ("http://x:port/", "the port must be 1 to 65535 (got port)"),
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


async def test_images_of_one_sandbox_do_not_wait_for_names_of_another() -> None:
    hosts = HostLookup(SilentResolver({"live.test": "127.0.0.1"}))
    checker = HttpImageChecker(Egress.LOOPBACK, sniff, hosts=hosts, timeout_s=PATIENCE_S)
    dead = [f"http://dead{number}.test/" for number in range(20)]
    pending = asyncio.create_task(checker.find_bad_image(dead, "greedy"))

    async with serving({"/a": page(PNG)}) as site:
        url = site.base.replace("127.0.0.1", "live.test")
        assert await checker.find_bad_image([f"{url}/a"], "other") is None
    assert not pending.done()
    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)
    await checker.aclose()


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
        ("http://[oops]/", "invalid URL"),
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


@pytest.fixture(scope="module")
def check() -> Iterator[Callable[[str], BadImage | None]]:
    """Check one address with a checker whose host names all resolve to a forbidden address."""

    async def resolve(host: str) -> Sequence[str]:
        return ["169.254.169.254"]

    async def open_checker() -> HttpImageChecker:
        return HttpImageChecker(Egress.LOOPBACK, sniff, hosts=HostLookup(resolve))

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
