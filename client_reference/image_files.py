"""Recognise image files, and tell whether one is complete (RES-2).

Only the signature, the end and the checksums of a PNG are read; pixels are not decoded.
"""

import zlib
from pathlib import Path
from typing import BinaryIO

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
ALIASES = {"image/jpg": "image/jpeg"}
"""Unregistered names of media types that servers often send."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PART_MAX = 64 * 1024  # bytes
# An image of 256 MiB has 32,000 chunks of the usual size.  Even a small chunk takes time.
_CHUNKS_MAX = 100_000


def media_type(path: Path) -> str | None:
    """Return the media type by the signature of a file; None if it is not PNG, JPEG or WebP."""
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(_PNG):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return "image/webp"
    return None


def is_complete(path: Path) -> bool:
    """Return whether a PNG, JPEG or WebP file is complete."""
    with path.open("rb") as file:
        head = file.read(12)
        if head.startswith(_PNG):
            file.seek(len(_PNG))
            return _has_png_end(file)
        if head.startswith(b"RIFF"):
            return path.stat().st_size >= int.from_bytes(head[4:8], "little") + 8
        file.seek(max(0, path.stat().st_size - 2))
        return file.read() == b"\xff\xd9"


def _has_png_end(file: BinaryIO) -> bool:
    for _ in range(_CHUNKS_MAX):
        header = file.read(8)
        if len(header) < 8:
            return False
        kind = header[4:]
        checksum = _checksum(file, kind, int.from_bytes(header[:4], "big"))
        if checksum is None or checksum.to_bytes(4, "big") != file.read(4):
            return False
        if kind == b"IEND":
            return True
    return False


def _checksum(file: BinaryIO, kind: bytes, length: int) -> int | None:
    """Return the checksum of the next chunk, or None if it is truncated.

    A damaged length may state four gigabytes, so the chunk is read in parts.
    """
    checksum = zlib.crc32(kind)
    while length > 0:
        part = file.read(min(length, _PART_MAX))
        if not part:
            return None
        checksum = zlib.crc32(part, checksum)
        length -= len(part)
    return checksum
