"""`trust`: what an address says by itself decides, and nothing is asked of any network."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.references import first_untrusted
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
    """Take an image to be what its content says."""
    return content.decode() if content in {b"PNG", b"JPEG", b"WEBP", b"GIF"} else None


def judged(*urls: str) -> BadImage | None:
    return first_untrusted(urls, recognise, MODEL.image_formats, MAX_BYTES)


def problem(url: str) -> ImageProblem | None:
    bad = judged(url)
    return None if bad is None else bad.problem


@given(schemes, hosts, folders, st.sampled_from([".jpg", ".jpeg", ".png", ".webp"]), endings)
def test_a_right_extension_is_trusted_on_any_host(
    scheme: str, host: str, folder: str, extension: str, ending: str
) -> None:
    for written in (extension, extension.upper()):
        assert judged(f"{scheme}://{host}/{folder}a{written}{ending}") is None


@given(schemes, hosts, folders, st.sampled_from(["", ".", ".abcdef", ".v1", ".2"]), endings)
def test_an_unknown_or_missing_extension_is_trusted(
    scheme: str, host: str, folder: str, extension: str, ending: str
) -> None:
    assert judged(f"{scheme}://{host}/{folder}a{extension}{ending}") is None


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
def test_what_cannot_be_an_address_of_an_image_is_unreachable(url: str) -> None:
    assert problem(url) is ImageProblem.UNREACHABLE


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.sampled_from(["image/png", "text/html", ""]))
def test_a_data_address_is_judged_by_its_content(name: str, media_type: str) -> None:
    assert judged(f"data:{media_type},{name}") is None
    assert judged(f"data:{media_type};base64,{b64encode(name.encode()).decode()}") is None


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
def test_a_data_address_that_is_no_good_image_is_told_apart(
    url: str, expected: ImageProblem
) -> None:
    assert problem(url) is expected


@given(st.lists(st.sampled_from([GOOD, BAD, "data:,x"]), max_size=5))
def test_the_first_bad_image_is_told_with_its_place(urls: list[str]) -> None:
    bad = judged(*urls)
    places = [index for index, url in enumerate(urls) if url != GOOD]

    assert (None if bad is None else bad.index) == next(iter(places), None)


@given(st.text(max_size=40) | st.text(max_size=20).map("https://{}".format))
def test_any_text_is_judged_and_shown_within_bounds(url: str) -> None:
    bad = judged(url * 5)

    assert bad is None or len(bad.reason) < 700


def test_a_bad_address_is_shown_in_the_reason() -> None:
    bad = judged(BAD)

    assert bad == BadImage(0, ImageProblem.UNREACHABLE, f"'{BAD}': the host stands under .invalid")
