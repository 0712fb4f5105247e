"""`trust`: the address alone decides, and no request is sent."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.references import find_bad_image_by_url
from tests.mock_server.domain.strategies import MODEL

MAX_BYTES = 50
GOOD = "https://example.com/a.png"
BAD = "https://example.invalid/a.png"

WRONG_EXTENSIONS = [
    ".gif", ".svg", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".ico", ".psd", ".jfif",
    ".pdf", ".mp4", ".html", ".zip", ".7z", ".%67if",
]  # fmt: skip

hosts = st.sampled_from(
    ["example.com", "localhost", "127.0.0.1:8080", "[::1]", "invalid.com", "notinvalid"]
)
schemes = st.sampled_from(["http", "https", "HTTPS"])
folders = st.text("abc019-_~%/", max_size=10)
endings = st.sampled_from(["", "?size=a.gif", "#a.gif", "?url=http://x.invalid/b.svg"])


def recognise(content: bytes) -> str | None:
    """Return the content itself if it is the name of a format."""
    return content.decode() if content in {b"PNG", b"JPEG", b"WEBP", b"GIF"} else None


def find_bad(*urls: str) -> BadImage | None:
    return find_bad_image_by_url(urls, recognise, MODEL.image_formats, MAX_BYTES)


def problem(url: str) -> ImageProblem | None:
    bad = find_bad(url)
    return None if bad is None else bad.problem


@given(schemes, hosts, folders, st.sampled_from([".jpg", ".jpeg", ".png", ".webp"]), endings)
def test_a_supported_extension_is_trusted_on_any_host(
    scheme: str, host: str, folder: str, extension: str, ending: str
) -> None:
    for written in (extension, extension.upper()):
        assert find_bad(f"{scheme}://{host}/{folder}a{written}{ending}") is None


@given(schemes, hosts, folders, st.sampled_from(["", ".", ".abcdef", ".v1", ".2"]), endings)
def test_an_unknown_or_missing_extension_is_trusted(
    scheme: str, host: str, folder: str, extension: str, ending: str
) -> None:
    assert find_bad(f"{scheme}://{host}/{folder}a{extension}{ending}") is None


@given(
    schemes,
    hosts,
    folders,
    st.sampled_from(WRONG_EXTENSIONS),
    endings,
)
def test_another_known_extension_is_the_wrong_format(
    scheme: str, host: str, folder: str, extension: str, ending: str
) -> None:
    for written in (extension, extension.upper()):
        assert problem(f"{scheme}://{host}/{folder}a{written}{ending}") is ImageProblem.WRONG_FORMAT


@pytest.mark.parametrize(
    "url",
    [
        "https://images.invalid/a.png",
        "https://IMAGES.Invalid:8443/a.png",
        "https://user:secret@images.invalid/a.png",
        "https://images.invalid./a.png",
        "http://invalid/a.png",
        "ftp://example.com/a.png",
        "file:///etc/a.png",
        "blob:https://example.com/a",
        "javascript:alert(1)",
        "//example.com/a.png",
        "/a.png",
        "a.png",
        "",
        "https://",
        "https:///a.png",
        "https://:80/a.png",
        "https://[::1/a.png",
        "https://[oops]/a.png",
    ],
)
def test_an_address_that_cannot_belong_to_an_image_is_unreachable(url: str) -> None:
    assert problem(url) is ImageProblem.UNREACHABLE


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.sampled_from(["image/png", "text/html", ""]))
def test_a_data_url_is_judged_by_its_content(name: str, media_type: str) -> None:
    assert find_bad(f"data:{media_type},{name}") is None
    assert find_bad(f"data:{media_type};base64,{b64encode(name.encode()).decode()}") is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png,hello", ImageProblem.WRONG_FORMAT),
        ("data:image/gif,GIF", ImageProblem.WRONG_FORMAT),
        ("DATA:image/png,", ImageProblem.WRONG_FORMAT),
        ("data:image/png;base64,!", ImageProblem.WRONG_FORMAT),
        ("data:image/png", ImageProblem.WRONG_FORMAT),
        (f"data:,{'a' * MAX_BYTES}", ImageProblem.WRONG_FORMAT),
        (f"data:,{'a' * (MAX_BYTES + 1)}", ImageProblem.TOO_LARGE),
        (f"data:;base64,{'a' * 2 * MAX_BYTES}", ImageProblem.TOO_LARGE),
    ],
    ids=lambda value: value[:30],
)
def test_an_invalid_data_url_has_the_matching_problem(url: str, expected: ImageProblem) -> None:
    assert problem(url) is expected


@given(st.lists(st.sampled_from([GOOD, BAD, "data:,x"]), max_size=5))
def test_the_first_bad_image_is_returned_with_its_index(urls: list[str]) -> None:
    bad = find_bad(*urls)
    expected = [index for index, url in enumerate(urls) if url != GOOD]

    assert (None if bad is None else bad.index) == next(iter(expected), None)


@given(st.text(max_size=40) | st.text(max_size=20).map("https://{}".format))
def test_any_text_is_checked_and_its_reason_is_short(url: str) -> None:
    bad = find_bad(url * 5)

    assert bad is None or len(bad.reason) < 700


@pytest.mark.parametrize("host", ["[{}]", "[{}", "\u2100{}"])
def test_reason_does_not_repeat_a_long_host(host: str) -> None:
    """Found by fuzzing: errors of the standard library repeat the whole host."""
    bad = find_bad(f"http://{host.format('x' * 100_000)}/a.png")

    assert bad is not None
    assert len(bad.reason) < 500


def test_a_bad_address_is_shown_in_the_reason() -> None:
    bad = find_bad(BAD)

    assert bad == BadImage(
        0, ImageProblem.UNREACHABLE, f'"{BAD}": hosts under .invalid do not exist'
    )
