"""The format and the ratio of downloaded pictures (RES-2)."""

from typing import Final

from contract_tests.server.checkers.pictures import decode_picture
from contract_tests.server.target import Target

SIZES: Final = {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)}
_ROUNDED: Final = 0.01  # How far a ratio may be off, because sizes are whole numbers of pixels.


def size_of(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, or None if the content is not an image."""
    picture = decode_picture(content)
    return None if picture is None else (picture.width, picture.height)


def fits(target: Target, size: tuple[int, int] | None, ratio: str) -> bool:
    """Return whether a picture has the ratio, and from the mock also the size.

    No page of the provider fixes the size; the sizes of the mock are this project's choice.
    """
    if size is None or target.has_control:
        return size == SIZES[ratio]
    width, height = SIZES[ratio]
    return abs(size[0] * height / (size[1] * width) - 1) <= _ROUNDED


def required(target: Target, ratio: str) -> str:
    """Return what a picture of this ratio must be, for a report."""
    if not target.has_control:
        return f"an image of {ratio}"
    width, height = SIZES[ratio]
    return f"an image of {ratio}, {width} x {height} pixels"
