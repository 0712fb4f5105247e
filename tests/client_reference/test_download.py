"""A download leaves complete images of the declared type in the directory, and nothing else."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from client_reference import (
    ApixoError,
    ResultExpired,
    ServerError,
    TransportError,
    UnexpectedResponse,
)
from tests.client_reference.driver import Driver
from tests.client_reference.pictures import (
    PNG,
    SUFFIXES,
    TYPES,
    breaks_after,
    generation,
    gives,
    picture,
)
from tests.client_reference.scripted import (
    RESULT_URL,
    Answer,
    Service,
    VirtualTime,
    accepts,
    breaks,
    raw,
    says,
    succeeds,
)


@pytest.mark.parametrize("kind", TYPES)
def test_image_is_saved_under_the_name_of_its_task(
    driver: Driver, tmp_path: Path, kind: str
) -> None:
    body = picture(kind)
    client = driver.client(Service(result=[gives(body, kind)]))

    files = client.download(generation(), tmp_path / "new" / "folder")

    assert files == [tmp_path / "new" / "folder" / f"task_1-1{SUFFIXES[kind]}"]
    assert files[0].read_bytes() == body
    assert list(files[0].parent.iterdir()) == files
    with Image.open(BytesIO(body)) as image:
        image.load()


def test_media_type_image_jpg_is_accepted(driver: Driver, tmp_path: Path) -> None:
    answer = raw(200, picture("jpeg"), {"Content-Type": "image/jpg"})

    (file,) = driver.client(Service(result=[answer])).download(generation(), tmp_path)

    assert file.name == "task_1-1.jpg"


def test_files_are_in_the_order_of_their_urls(driver: Driver, tmp_path: Path) -> None:
    kinds = ["webp", "png", "jpeg", "png"]
    bodies = [
        picture(kind, colour)
        for kind, colour in zip(kinds, ["red", "blue", "tan", "navy"], strict=True)
    ]
    service = Service(result=[gives(body, kind) for body, kind in zip(bodies, kinds, strict=True)])
    urls = [f"http://results.test/{number}" for number in range(4)]

    files = driver.client(service).download(generation(*urls), str(tmp_path))

    assert [file.name for file in files] == [
        "task_1-1.webp", "task_1-2.png", "task_1-3.jpg", "task_1-4.png",
    ]  # fmt: skip
    assert [file.read_bytes() for file in files] == bodies
    assert [str(request.url) for request in service.requests] == urls


def test_generation_can_be_downloaded(driver: Driver, tmp_path: Path) -> None:
    service = Service(submit=[accepts()], status=[succeeds()], result=[gives(PNG)])
    client = driver.client(service)

    (file,) = client.download(client.generate("a fox"), tmp_path)

    assert file.read_bytes() == PNG


def test_second_download_replaces_the_first(driver: Driver, tmp_path: Path) -> None:
    client = driver.client(Service(result=[gives(picture("png", "red")), gives(PNG)]))

    files = [client.download(generation(), tmp_path) for _ in range(2)]

    assert files[0] == files[1]
    assert files[1][0].read_bytes() == PNG
    assert list(tmp_path.iterdir()) == files[1]


def corrupt(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]


NO_PICTURES: dict[str, tuple[Answer, type[ApixoError]]] = {
    "HTML": (raw(200, b"<html>", {"Content-Type": "text/html"}), UnexpectedResponse),
    "HTML as a picture": (gives(b"<html>sorry</html>"), UnexpectedResponse),
    "a GIF": (raw(200, b"GIF89a", {"Content-Type": "image/gif"}), UnexpectedResponse),
    "a JPEG as PNG": (gives(picture("jpeg"), "png"), UnexpectedResponse),
    "a PNG as text": (raw(200, PNG, {"Content-Type": "text/plain"}), UnexpectedResponse),
    "a PNG as nothing": (raw(200, PNG), UnexpectedResponse),
    "nothing": (gives(b""), UnexpectedResponse),
    "no content": (raw(204, b""), UnexpectedResponse),
    "forbidden things": (says(400), UnexpectedResponse),
    "a key wanted": (says(401), UnexpectedResponse),
    "not modified": (raw(304, b""), UnexpectedResponse),
    "bad gzip": (gives(PNG, headers={"Content-Encoding": "gzip"}), UnexpectedResponse),
    "404": (says(404), ResultExpired),
    "410": (says(410), ResultExpired),
    "403": (raw(403, b"<Error>Request has expired</Error>"), ResultExpired),
    "always 503": (says(503), ServerError),
    "always broken": (breaks(httpx.ConnectError), TransportError),
    "always breaking": (breaks_after(PNG[:-1]), TransportError),
    "always cut": (gives(PNG[:-1]), TransportError),
    "always corrupt": (gives(corrupt(PNG)), TransportError),
    "a PNG without its end": (gives(PNG[:-12]), TransportError),
    "a cut JPEG": (gives(picture("jpeg")[:-1], "jpeg"), TransportError),
    "a cut WebP": (gives(picture("webp")[:-1], "webp"), TransportError),
    "a redirect in a circle": (raw(302, b"", {"Location": RESULT_URL}), UnexpectedResponse),
    "a redirect to a file": (raw(302, b"", {"Location": "file:///etc/passwd"}), UnexpectedResponse),
    "a redirect to no address": (raw(302, b"", {"Location": "http://[::"}), ApixoError),
}


@pytest.mark.parametrize(("answer", "kind"), NO_PICTURES.values(), ids=NO_PICTURES)
def test_invalid_download_leaves_no_file(
    driver: Driver, tmp_path: Path, answer: Answer, kind: type[ApixoError]
) -> None:
    client = driver.client(Service(result=[answer]), max_retries=2)

    with pytest.raises(kind) as caught:
        client.download(generation(), tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert caught.value.task == generation().task
    assert str(caught.value)


def test_files_before_a_failed_download_stay(driver: Driver, tmp_path: Path) -> None:
    client = driver.client(Service(result=[gives(PNG), says(404)]))

    with pytest.raises(ResultExpired) as caught:
        client.download(generation(RESULT_URL, f"{RESULT_URL}?2"), tmp_path)

    assert caught.value.url == f"{RESULT_URL}?2"
    assert caught.value.status == 404
    assert [file.name for file in tmp_path.iterdir()] == ["task_1-1.png"]


@given(
    task_id=st.text(min_size=1, max_size=300)
    | st.sampled_from(
        ["../../etc/passwd", "/etc/passwd", "..", ".", "a/../../b", "C:\\x", "a\x00b"]
    )
)
def test_no_task_id_escapes_the_directory(
    driver: Driver, tmp_path_factory: pytest.TempPathFactory, task_id: str
) -> None:
    directory = tmp_path_factory.mktemp("outer") / "inner"

    (file,) = driver.client(Service(result=[gives(PNG)])).download(
        generation(task_id=task_id), directory
    )

    assert file.resolve().parent == directory.resolve()
    assert list(directory.parent.iterdir()) == [directory]
    assert list(directory.iterdir()) == [file]


@pytest.mark.parametrize(
    ("task_id", "other_id"), [("a:b", "a/b"), ("a/b", "a_b"), ("x" * 101, "x" * 102), ("ß", "ü")]
)
def test_tasks_with_similar_ids_have_different_files(
    driver: Driver, tmp_path: Path, task_id: str, other_id: str
) -> None:
    client = driver.client(Service(result=[gives(PNG)]))

    for each in (task_id, other_id, task_id):
        client.download(generation(task_id=each), tmp_path)

    assert len(list(tmp_path.iterdir())) == 2


def test_download_is_retried_after_a_pause(
    driver: Driver, tmp_path: Path, time: VirtualTime
) -> None:
    later = says(503, headers={"Retry-After": "8"})
    service = Service(result=[later, breaks(httpx.ConnectTimeout), gives(PNG)])

    driver.client(service, time).download(generation(), tmp_path)

    assert len(service.requests) == 3
    assert time.pauses[0] == 8


BAD_DIRECTORIES: dict[str, Callable[[Path], Path]] = {
    "a file": lambda path: path / "file",
    "below a file": lambda path: path / "file" / "folder",
}


@pytest.mark.parametrize("directory", BAD_DIRECTORIES.values(), ids=BAD_DIRECTORIES)
def test_directory_is_created_before_anything_is_sent(
    driver: Driver, tmp_path: Path, directory: Callable[[Path], Path]
) -> None:
    (tmp_path / "file").touch()
    service = Service()

    with pytest.raises(OSError, match="file"):
        driver.client(service).download(generation(), directory(tmp_path))

    assert service.requests == []
