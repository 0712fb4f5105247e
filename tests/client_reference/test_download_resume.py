"""An interrupted download resumes, or restarts if it cannot (RFC 9110, 14)."""

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import ApiTimeout, TransportError, UnexpectedResponse
from client_reference.part_file import PartFile
from tests.client_reference.driver import Driver
from tests.client_reference.pictures import (
    PNG,
    TYPES,
    breaks_after,
    continues,
    generation,
    gives,
    picture,
)
from tests.client_reference.scripted import Answer, Parts, Service, raw

HALF = len(PNG) // 2
TAG = {"ETag": '"fox-1"'}
OTHER = picture("png", "blue")


class Host:
    """Gives a picture from where it is asked, and breaks off after so many bytes each time."""

    def __init__(self, body: bytes, lengths: list[int], kind: str = "png") -> None:
        self._body = body
        self._lengths = lengths
        self._kind = kind
        self.sent = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        stated = {"Content-Range": f"bytes {start}-{len(self._body) - 1}/{len(self._body)}"}
        status, headers = (206, stated) if start else (200, {})
        rest = self._body[start:]
        length = self._lengths.pop(0) if self._lengths else len(rest)
        self.sent += min(length, len(rest))
        answer = breaks_after if length < len(rest) else gives
        return answer(rest[:length], self._kind, status, headers)(request)


@pytest.mark.parametrize("kind", TYPES)
@given(lengths=st.lists(st.integers(0, 200), max_size=6))
def test_interrupted_download_resumes_without_fetching_a_byte_twice(
    driver: Driver,
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    lengths: list[int],
) -> None:
    body = picture(kind)
    host = Host(body, lengths, kind)

    (file,) = driver.client(Service(result=[host]), max_retries=6).download(
        generation(), tmp_path_factory.mktemp("pictures")
    )

    assert file.read_bytes() == body
    assert host.sent == len(body)


def test_resumed_download_sends_range_and_if_range(driver: Driver, tmp_path: Path) -> None:
    service = Service(
        result=[breaks_after(PNG[:HALF], headers=TAG), continues(PNG, HALF, headers=TAG)]
    )

    (file,) = driver.client(service).download(generation(), tmp_path)

    first, second = (request.headers for request in service.requests)
    assert not {"range", "if-range"} & set(first)
    assert (second["Range"], second["If-Range"]) == (f"bytes={HALF}-", TAG["ETag"])
    assert {first["Accept-Encoding"], second["Accept-Encoding"]} == {"identity"}
    assert file.read_bytes() == PNG


def test_weak_etag_is_not_sent_as_if_range(driver: Driver, tmp_path: Path) -> None:
    weak = {"ETag": 'W/"fox"'}
    service = Service(result=[breaks_after(PNG[:HALF], headers=weak), continues(PNG, HALF)])

    driver.client(service).download(generation(), tmp_path)

    assert "If-Range" not in service.requests[1].headers


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param([gives(PNG)], PNG, id="the host knows no ranges"),
        pytest.param([gives(OTHER, headers={"ETag": '"2"'})], OTHER, id="it is another one now"),
        pytest.param([raw(416, b""), gives(PNG)], PNG, id="the range is refused"),
        pytest.param([continues(PNG, HALF, HALF + 1), gives(PNG)], PNG, id="a part too late"),
        pytest.param([continues(PNG, 0), gives(PNG)], PNG, id="a part from the start"),
        pytest.param([gives(PNG[HALF:], status=206), gives(PNG)], PNG, id="a part of nowhere"),
        pytest.param([continues(OTHER, HALF), gives(OTHER)], OTHER, id="parts that do not fit"),
    ],
)
def test_download_restarts_if_the_response_does_not_continue_it(
    driver: Driver, tmp_path: Path, then: list[Answer], expected: bytes
) -> None:
    service = Service(result=[breaks_after(PNG[:HALF], headers=TAG), *then])

    (file,) = driver.client(service).download(generation(), tmp_path)

    assert file.read_bytes() == expected
    assert list(tmp_path.iterdir()) == [file]
    assert "Range" not in service.requests[-1].headers or len(then) == 1


@pytest.mark.parametrize("damaged", [PNG[:-1], PNG[:HALF] + b"x" + PNG[HALF + 1 :]])
def test_damaged_download_restarts(driver: Driver, tmp_path: Path, damaged: bytes) -> None:
    service = Service(result=[gives(damaged), gives(PNG)])

    (file,) = driver.client(service).download(generation(), tmp_path)

    assert file.read_bytes() == PNG
    assert "Range" not in service.requests[1].headers


MONDAY, TUESDAY = "Mon, 05 Oct 2026 10:00:00 GMT", "Tue, 06 Oct 2026 10:00:00 GMT"
SIGNS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "another length": ({"Content-Length": "1"}, {}),
    "another date": ({"Last-Modified": MONDAY}, {"Last-Modified": TUESDAY}),
    "another weak tag": ({"ETag": 'W/"1"'}, {"ETag": 'W/"2"'}),
    "another strong tag": ({"ETag": '"1"'}, {"ETag": '"2"'}),
}


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
@pytest.mark.parametrize(("before", "after"), SIGNS.values(), ids=SIGNS)
def test_parts_of_different_versions_are_never_joined(
    driver: Driver, tmp_path: Path, kind: str, before: dict[str, str], after: dict[str, str]
) -> None:
    """No checksum would tell."""
    body = picture(kind)
    half = len(body) // 2
    joins = continues(body, half, headers={**after, "Content-Type": TYPES[kind]})
    service = Service(
        result=[breaks_after(body[:half], kind, headers=before), joins, gives(body, kind)]
    )

    driver.client(service).download(generation(), tmp_path)

    assert ["Range" in request.headers for request in service.requests] == [False, True, False]


@pytest.mark.parametrize(("_", "after"), SIGNS.values(), ids=SIGNS)
def test_validators_of_the_first_part_apply_to_all_later_parts(
    driver: Driver, tmp_path: Path, _: object, after: dict[str, str]
) -> None:
    body = picture("jpeg")
    half = len(body) // 2
    stated = {"Content-Range": f"bytes {half}-{len(body) - 1}/{len(body)}"}
    told = {"Content-Length": str(len(body)), "Last-Modified": MONDAY, "ETag": '"1"'}
    last = {"Content-Range": f"bytes {half + 1}-9999/9999", **after}
    service = Service(
        result=[
            breaks_after(body[:half], "jpeg", headers=told),
            breaks_after(body[half : half + 1], "jpeg", 206, stated),
            gives(body[half + 1 :], "jpeg", 206, last),
            gives(body, "jpeg"),
        ]
    )

    driver.client(service).download(generation(), tmp_path)

    assert service.requests[2].headers["If-Range"] == '"1"'
    assert "Range" not in service.requests[3].headers


@pytest.mark.parametrize(
    "same",
    [TAG, {"Last-Modified": MONDAY}, {"Content-Length": str(len(PNG))}, {}],
    ids=["tag", "date", "length", "nothing"],
)
def test_part_with_equal_or_missing_validators_continues_the_download(
    driver: Driver, tmp_path: Path, same: dict[str, str]
) -> None:
    first = breaks_after(PNG[:HALF], headers={**TAG, "Last-Modified": MONDAY, **same})
    rest = {**same, "Content-Length": str(len(PNG) - HALF)}
    service = Service(result=[first, continues(PNG, HALF, headers=rest)])

    driver.client(service).download(generation(), tmp_path)

    assert len(service.requests) == 2


def test_part_may_omit_its_content_type(driver: Driver, tmp_path: Path) -> None:
    stated = {"Content-Range": f"bytes {HALF}-{len(PNG) - 1}/{len(PNG)}"}
    service = Service(result=[breaks_after(PNG[:HALF]), raw(206, PNG[HALF:], stated)])

    (file,) = driver.client(service).download(generation(), tmp_path)

    assert file.read_bytes() == PNG


def test_unrequested_part_is_rejected(driver: Driver, tmp_path: Path) -> None:
    client = driver.client(Service(result=[continues(PNG, HALF)]), max_retries=1)

    with pytest.raises(TransportError, match="not the requested part"):
        client.download(generation(), tmp_path)


def test_interrupted_download_is_retried_max_retries_times(driver: Driver, tmp_path: Path) -> None:
    service = Service(result=[breaks_after(b"")])

    with pytest.raises(TransportError):
        driver.client(service, max_retries=3).download(generation(), tmp_path)

    assert len(service.requests) == 4


def test_download_over_the_size_limit_is_rejected(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "a.part")
    part.begin(200, httpx.Headers())
    part._file.seek(256 * 1024 * 1024)  # as if so much had come; the file stays sparse

    with pytest.raises(UnexpectedResponse, match="longer"):
        part.write(b"x")

    part.close()


def test_aborted_download_leaves_no_file(driver: Driver, tmp_path: Path) -> None:
    def stopped(request: httpx.Request) -> httpx.Response:
        stream = Parts(PNG[:HALF], breaks_with=KeyboardInterrupt())
        return httpx.Response(200, headers={"Content-Type": "image/png"}, stream=stream)

    with pytest.raises(KeyboardInterrupt):
        driver.client(Service(result=[stopped])).download(generation(), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_read_timeout_of_a_download_is_an_api_timeout(driver: Driver, tmp_path: Path) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(ApiTimeout):
        driver.client(Service(result=[slow]), max_retries=1).download(generation(), tmp_path)
