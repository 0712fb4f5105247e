"""Reference images: bytes have a known format or none, also within a data URL."""

import base64
from pathlib import Path

from mock_server.domain.data_url import decode
from mock_server.domain.references import find_bad_image_by_url
from mock_server.images.sniff import FORMATS, image_format
from tests.fuzz.generators import filled
from tests.fuzz.target import Target

_MAX_BYTES = 10_485_760
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"


def _data_url(raw: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(raw).decode()}"


def _handle(raw: bytes) -> None:
    find_bad_image_by_url([_data_url(raw)], image_format, FORMATS, _MAX_BYTES)


def _check(raw: bytes) -> None:
    found = image_format(raw)
    assert found is None or found in FORMATS
    assert decode(_data_url(raw), _MAX_BYTES) == raw
    bad = find_bad_image_by_url([_data_url(raw)], image_format, FORMATS, _MAX_BYTES)
    assert (bad is None) == (found is not None)
    text = raw.decode(errors="ignore")
    for url in (text, f"data:{text}", f"http://{text}", f"https://images.test/{text}"):
        bad = find_bad_image_by_url([url], image_format, FORMATS, _MAX_BYTES)
        assert bad is None or (bad.index == 0 and 0 < len(bad.reason) < 1_000)


def _seeds() -> list[bytes]:
    images = Path(__file__).parents[3] / "fixtures" / "images"
    return [
        *(path.read_bytes()[:600] for path in sorted(images.glob("*"))),
        b"II*\0\x08\0\0\0",
        b"BM" + bytes(60),
        _PNG,
        b";base64,iVBORw0KGgo=",
        b"[::1]/fox.png",
    ]


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"RIFF",
        b"WEBP",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"IHDR",
        b"IDAT",
        b";base64,",
        b"%",
        b"tEXt",
        b"zTXt",
        b"iCCP",
    ),
    worst={
        "chunks of a PNG": filled(_PNG, b"\0\0\0\0tEXt\0\0\0\0"),
        "segments of a JPEG": filled(b"\xff\xd8", b"\xff\xe1\0\2"),
        "fill bytes of a JPEG": filled(b"\xff\xd8", b"\xff"),
        "extensions of a GIF": filled(b"GIF89a\1\0\1\0\0\0\0", b"!\xfe\1a\0"),
        "directories of a TIFF": filled(b"II*\0\x08\0\0\0\xff\xff", b"\0\1\3\0\1\0\0\0\1\0\0\0"),
        "zeros": filled(b"", b"\0"),
        "compressed text of a PNG": filled(_PNG, b"\0\0\0\x0azTXta\0\0x\x9c\3\0\0\0\0\1\0\0\0\0"),
    },
)
