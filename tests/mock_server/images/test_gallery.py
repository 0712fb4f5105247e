"""The gallery draws a picture once, keeps what fits, and never blocks the event loop."""

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


class Studio:
    """Draws as many bytes as the picture's number says, but only while its door is open."""

    def __init__(self) -> None:
        self.drawn: list[int] = []
        self.has_started = threading.Event()
        self.door = threading.Event()
        self.door.set()

    def render(self, picture: Picture) -> bytes:
        self.has_started.set()
        assert self.door.wait(PATIENCE_S)
        self.drawn.append(picture.number)
        return b"." * picture.number

    async def open(self) -> None:
        self.door.set()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def gallery(studio: Studio) -> Iterator[Gallery]:
    with closing(Gallery(max_bytes=20, renderer=studio.render)) as gallery:
        yield gallery
        studio.door.set()


async def test_a_gallery_draws_real_pictures() -> None:
    with closing(Gallery()) as gallery:
        content = await gallery.png(picture(1))

    assert content.startswith(b"\x89PNG")


async def test_a_kept_picture_is_not_drawn_again(gallery: Gallery, studio: Studio) -> None:
    first = await gallery.png(picture(1))

    assert await gallery.png(picture(1)) is first
    assert studio.drawn == [1]


async def test_the_picture_asked_for_longest_ago_makes_room(
    gallery: Gallery, studio: Studio
) -> None:
    for number in [8, 9, 8, 7]:
        await gallery.png(picture(number))

    await gallery.png(picture(8))
    await gallery.png(picture(9))

    assert studio.drawn == [8, 9, 7, 9]


async def test_as_many_pictures_make_room_as_it_takes(gallery: Gallery, studio: Studio) -> None:
    for number in [5, 6, 7, 14]:
        await gallery.png(picture(number))

    for number in [14, 7, 6]:
        await gallery.png(picture(number))

    assert studio.drawn == [5, 6, 7, 14, 7, 6]


async def test_a_picture_larger_than_all_the_room_is_not_kept(
    gallery: Gallery, studio: Studio
) -> None:
    for number in [5, 21, 21, 5]:
        await gallery.png(picture(number))

    assert studio.drawn == [5, 21, 21]


async def test_two_requests_at_once_share_one_drawing(gallery: Gallery, studio: Studio) -> None:
    studio.door.clear()

    one, two, _ = await asyncio.gather(
        gallery.png(picture(1)), gallery.png(picture(1)), studio.open()
    )

    assert one is two
    assert studio.drawn == [1]


async def test_who_stops_waiting_does_not_stop_the_drawing(studio: Studio) -> None:
    with closing(Gallery(workers=1, renderer=studio.render)) as gallery:
        studio.door.clear()
        before = asyncio.create_task(gallery.png(picture(1)))
        impatient, patient = (asyncio.create_task(gallery.png(picture(2))) for _ in range(2))
        assert await asyncio.to_thread(studio.has_started.wait, PATIENCE_S)

        impatient.cancel()
        await asyncio.wait([impatient])
        studio.door.set()

        assert await before == b"."
        assert await patient == b".."
        assert studio.drawn == [1, 2]


async def test_a_drawing_that_nobody_waits_for_is_kept(gallery: Gallery, studio: Studio) -> None:
    studio.door.clear()
    impatient = asyncio.create_task(gallery.png(picture(1)))
    assert await asyncio.to_thread(studio.has_started.wait, PATIENCE_S)

    impatient.cancel()
    studio.door.set()
    await gallery.png(picture(1))

    assert studio.drawn == [1]


async def test_a_failed_drawing_reaches_all_who_wait_and_is_tried_again() -> None:
    results: list[Exception | bytes] = [OSError("no font"), b"a fox"]
    door = threading.Event()

    def render(_: Picture) -> bytes:
        assert door.wait(PATIENCE_S)
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def open_door() -> None:
        door.set()

    with closing(Gallery(renderer=render)) as gallery:
        waiting = [gallery.png(picture(1)), gallery.png(picture(1))]
        one, two, _ = await asyncio.gather(*waiting, open_door(), return_exceptions=True)

        assert isinstance(one, OSError)
        assert isinstance(two, OSError)
        assert await gallery.png(picture(1)) == b"a fox"


async def test_no_more_pictures_are_drawn_at_once_than_there_are_workers() -> None:
    threads: set[str] = set()

    def render(_: Picture) -> bytes:
        threads.add(threading.current_thread().name)
        return b""

    with closing(Gallery(workers=2, renderer=render)) as gallery:
        await asyncio.gather(*(gallery.png(picture(number)) for number in range(50)))

    assert threads <= {"gallery_0", "gallery_1"}


async def test_a_closed_gallery_refuses_to_draw(gallery: Gallery) -> None:
    gallery.close()

    with pytest.raises(RuntimeError, match="closed"):
        await gallery.png(picture(1))


async def test_closing_cancels_those_whose_drawing_has_not_begun(studio: Studio) -> None:
    gallery = Gallery(workers=1, renderer=studio.render)
    studio.door.clear()
    begun, waiting = (asyncio.create_task(gallery.png(picture(number))) for number in (1, 2))
    assert await asyncio.to_thread(studio.has_started.wait, PATIENCE_S)

    closing_thread = asyncio.create_task(asyncio.to_thread(gallery.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    studio.door.set()
    await closing_thread

    assert await begun == b"."


def test_pillow_is_not_imported_before_it_is_needed() -> None:
    script = (
        "import sys, mock_server.images.gallery, mock_server.images.sniff\n"
        "sys.exit('PIL' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)

    assert done.returncode == 0
