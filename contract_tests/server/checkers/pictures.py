"""Decodes downloaded pictures, each distinct content once."""

from hashlib import blake2b
from io import BytesIO
from typing import Final

import msgspec
from PIL import Image, UnidentifiedImageError

_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_KEPT: Final = 4096  # Decoded pictures; each one is a few numbers.
_ENDS: Final = {"PNG": b"IEND\xaeB`\x82"}


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A whole picture; `pixels` is a digest of its content."""

    format: str
    width: int
    height: int
    pixels: bytes

    def has_ratio(self, ratio: str) -> bool:
        """Return whether width and height are in this ratio, up to one percent."""
        width, _, height = ratio.partition(":")
        wanted = int(width) / int(height)
        return abs(self.width / self.height - wanted) <= wanted / 100


_known: dict[bytes, Picture | None] = {}
"""The pictures by the digest of their content, so that the content itself is not kept."""


def decode_picture(content: bytes) -> Picture | None:
    """Return the picture, or None if the content is not a whole picture that can be decoded."""
    digest = blake2b(content).digest()
    if digest not in _known:
        picture = _decode(content)
        if len(_known) >= _KEPT:
            _known.clear()
        _known[digest] = picture
        return picture
    return _known.get(digest)


def _decode(content: bytes) -> Picture | None:
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            picture.load()
            found = Picture(
                format=picture.format or "",
                width=picture.width,
                height=picture.height,
                pixels=blake2b(picture.tobytes()).digest(),
            )
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
    ):
        return None
    # Pillow ignores a missing end if all pixels are there.
    return found if content.endswith(_ENDS.get(found.format, b"")) else None
