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
    while len(header := file.read(8)) == 8:
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        content = file.read(length)
        checksum = file.read(4)
        if len(checksum) < 4 or zlib.crc32(kind + content) != int.from_bytes(checksum, "big"):
            return False
        if kind == b"IEND":
            return True
    return False
