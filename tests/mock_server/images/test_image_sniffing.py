"""The format of an image is recognised by its header; other content has no format."""

from io import BytesIO
from struct import pack
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mock_server.images.sniff import FORMATS, image_format
from tests.properties import examples


def written(name: str, **options: object) -> bytes:
    file = BytesIO()
    Image.radial_gradient("L").convert("RGB").save(file, name, **options)
    return file.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    header = b"IHDR" + pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + header + pack(">I", crc32(header))
    return start + pack(">I", 100) + b"IDAT"


IMAGES = {name: written(name) for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_recognised(name: str) -> None:
    assert image_format(IMAGES[name]) == name


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "BMP"])
def test_an_image_cut_after_its_header_keeps_its_format(name: str) -> None:
    content = IMAGES[name]

    assert image_format(content[: len(content) // 2]) == name


@pytest.mark.parametrize("name", FORMATS)
def test_an_image_cut_within_its_header_has_no_format(name: str) -> None:
    assert image_format(IMAGES[name][:12]) is None


def test_several_jpegs_in_one_file_are_a_jpeg() -> None:
    content = written("MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])

    assert image_format(content) == "JPEG"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0" * 1_000, id="zeros"),
        pytest.param(b"<!doctype html><title>Not found</title>", id="HTML"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', id="SVG"),
        pytest.param(b"%PDF-1.7\n", id="PDF"),
        pytest.param(written("PPM"), id="a format that is not listed"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt ", id="sound"),
    ],
)
def test_content_that_is_not_an_image_has_no_format(content: bytes) -> None:
    assert image_format(content) is None


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return pack(">I", len(content)) + kind + content + pack(">I", crc32(kind + content))


def png_with(chunks: bytes) -> bytes:
    """Return a PNG with more chunks after the first one."""
    content, end = IMAGES["PNG"], 8 + len(chunk(b"IHDR", b"\0" * 13))
    return content[:end] + chunks + content[end:]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png_with(chunk(b"abCd") * 20_000), id="PNG"),
        pytest.param(b"\xff\xd8" + b"\xff\xe5\0\2" * 20_000 + IMAGES["JPEG"][2:], id="JPEG"),
        pytest.param(IMAGES["GIF"][:13] + b"!\xfe\1a\0" * 20_000, id="GIF"),
    ],
)
def test_header_with_thousands_of_parts_has_no_format(content: bytes) -> None:
    """Pillow reads any number of parts: 10 MB of them take it many seconds."""
    assert image_format(content) is None


def test_header_with_many_or_large_parts_has_a_format() -> None:
    assert image_format(png_with(chunk(b"tEXt", b"a\0b") * 300)) == "PNG"
    assert image_format(png_with(chunk(b"caBX", b"x" * 2_000_000))) == "PNG"
    exif = b"\xff\xe1\xff\xff" + b"\0" * 65_533
    assert image_format(b"\xff\xd8" + exif * 100 + IMAGES["JPEG"][2:]) == "JPEG"


def test_a_large_image_is_recognised_without_a_warning() -> None:
    assert image_format(png_of_size(10_000, 10_000)) == "PNG"


def test_a_decompression_bomb_has_no_format() -> None:
    assert image_format(png_of_size(100_000, 100_000)) is None


@given(st.sampled_from(FORMATS), st.integers(0, 2_000))
def test_a_cut_image_keeps_its_format_or_has_none(name: str, length: int) -> None:
    assert image_format(IMAGES[name][:length]) in {name, None}


@examples(300)
@given(st.sampled_from(FORMATS), st.data())
def test_malformed_bytes_raise_nothing(name: str, data: st.DataObject) -> None:
    content = bytearray(IMAGES[name][:4_000])
    places = st.dictionaries(st.integers(0, min(200, len(content) - 1)), st.integers(0, 255))
    for place, value in data.draw(places).items():
        content[place] = value

    assert image_format(bytes(content)) in {*FORMATS, None}


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0"]),
    st.binary(),
)
def test_a_signature_before_noise_raises_nothing(signature: bytes, noise: bytes) -> None:
    assert image_format(signature + noise) in {*FORMATS, None}
