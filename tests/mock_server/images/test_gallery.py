"""The gallery draws each picture once, caches a limited size and never blocks the event loop."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mock_server.images.gallery import Gallery
from mock_server.images.picture import Picture
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]


def picture(number: int) -> Picture:
    return Picture("a fox", width=3, height=2, ratio="3:2", number=number, count=9, seed=b"seed")


class FakeRenderer:
    """Draws as many bytes as the picture's number, but waits while it is blocked."""

    def __init__(self) -> None:
        self.drawn: list[int] = []
        self.has_started = threading.Event()
        self.is_unblocked = threading.Event()
        self.is_unblocked.set()

    def render(self, picture: Picture) -> bytes:
        self.has_started.set()
        assert self.is_unblocked.wait(PATIENCE_S)
        self.drawn.append(picture.number)
        return b"." * picture.number

    async def unblock(self) -> None:
        self.is_unblocked.set()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def renderer() -> FakeRenderer:
    return FakeRenderer()


@pytest.fixture
def gallery(renderer: FakeRenderer) -> Iterator[Gallery]:
    with closing(Gallery(max_bytes=20, renderer=renderer.render)) as gallery:
        yield gallery
        renderer.is_unblocked.set()


async def test_a_gallery_draws_real_pictures() -> None:
    with closing(Gallery()) as gallery:
        content = await gallery.png(picture(1))

    assert content.startswith(b"\x89PNG")


async def test_a_cached_picture_is_not_drawn_again(
    gallery: Gallery, renderer: FakeRenderer
) -> None:
    first = await gallery.png(picture(1))

    assert await gallery.png(picture(1)) is first
    assert renderer.drawn == [1]


async def test_the_least_recently_used_picture_is_dropped_first(
    gallery: Gallery, renderer: FakeRenderer
) -> None:
    for number in [8, 9, 8, 7]:
        await gallery.png(picture(number))

    await gallery.png(picture(8))
    await gallery.png(picture(9))

    assert renderer.drawn == [8, 9, 7, 9]


async def test_only_as_many_pictures_are_dropped_as_necessary(
    gallery: Gallery, renderer: FakeRenderer
) -> None:
    for number in [5, 6, 7, 14]:
        await gallery.png(picture(number))

    for number in [14, 7, 6]:
        await gallery.png(picture(number))

    assert renderer.drawn == [5, 6, 7, 14, 7, 6]


async def test_a_picture_larger_than_the_cache_is_not_cached(
    gallery: Gallery, renderer: FakeRenderer
) -> None:
    for number in [5, 21, 21, 5]:
        await gallery.png(picture(number))

    assert renderer.drawn == [5, 21, 21]


async def test_two_requests_at_once_share_one_drawing(
    gallery: Gallery, renderer: FakeRenderer
) -> None:
    renderer.is_unblocked.clear()

    one, two, _ = await asyncio.gather(
        gallery.png(picture(1)), gallery.png(picture(1)), renderer.unblock()
    )

    assert one is two
    assert renderer.drawn == [1]


async def test_cancelling_one_request_does_not_cancel_the_drawing(renderer: FakeRenderer) -> None:
    with closing(Gallery(workers=1, renderer=renderer.render)) as gallery:
        renderer.is_unblocked.clear()
        before = asyncio.create_task(gallery.png(picture(1)))
        cancelled, patient = (asyncio.create_task(gallery.png(picture(2))) for _ in range(2))
        assert await asyncio.to_thread(renderer.has_started.wait, PATIENCE_S)

        cancelled.cancel()
        await asyncio.wait([cancelled])
        renderer.is_unblocked.set()

        assert await before == b"."
        assert await patient == b".."
        assert renderer.drawn == [1, 2]


async def test_a_drawing_that_no_request_waits_for_is_cached(
    gallery: Gallery, renderer: FakeRenderer
) -> None:
    renderer.is_unblocked.clear()
    cancelled = asyncio.create_task(gallery.png(picture(1)))
    assert await asyncio.to_thread(renderer.has_started.wait, PATIENCE_S)

    cancelled.cancel()
    renderer.is_unblocked.set()
    await gallery.png(picture(1))

    assert renderer.drawn == [1]


async def test_a_failed_drawing_fails_all_waiting_requests_and_is_retried_by_the_next() -> None:
    results: list[Exception | bytes] = [OSError("no font"), b"a fox"]
    is_unblocked = threading.Event()

    def render(_: Picture) -> bytes:
        assert is_unblocked.wait(PATIENCE_S)
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def unblock() -> None:
        is_unblocked.set()

    with closing(Gallery(renderer=render)) as gallery:
        waiting = [gallery.png(picture(1)), gallery.png(picture(1))]
        one, two, _ = await asyncio.gather(*waiting, unblock(), return_exceptions=True)

        assert isinstance(one, OSError)
        assert isinstance(two, OSError)
        assert await gallery.png(picture(1)) == b"a fox"


async def test_pictures_are_drawn_by_the_configured_number_of_workers() -> None:
    threads: set[str] = set()

    def render(_: Picture) -> bytes:
        threads.add(threading.current_thread().name)
        return b""

    with closing(Gallery(workers=2, renderer=render)) as gallery:
        await asyncio.gather(*(gallery.png(picture(number)) for number in range(50)))

    assert threads <= {"gallery_0", "gallery_1"}


async def test_a_closed_gallery_raises_runtime_error(gallery: Gallery) -> None:
    gallery.close()

    with pytest.raises(RuntimeError, match="closed"):
        await gallery.png(picture(1))


async def test_closing_cancels_requests_whose_drawing_has_not_started(
    renderer: FakeRenderer,
) -> None:
    gallery = Gallery(workers=1, renderer=renderer.render)
    renderer.is_unblocked.clear()
    begun, waiting = (asyncio.create_task(gallery.png(picture(number))) for number in (1, 2))
    assert await asyncio.to_thread(renderer.has_started.wait, PATIENCE_S)

    closing_thread = asyncio.create_task(asyncio.to_thread(gallery.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    renderer.is_unblocked.set()
    await closing_thread

    assert await begun == b"."


def test_pillow_is_not_imported_before_it_is_needed() -> None:
    script = (
        "import sys, mock_server.images.gallery, mock_server.images.sniff\n"
        "sys.exit('PIL' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)

    assert done.returncode == 0
