"""The files that a client stored, compared with the pictures that the mock served."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

import msgspec

_PICTURE_NAMES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif", ".tif", ".tiff"}
)
_TEMPORARY_NAMES: Final = frozenset({".part", ".partial", ".tmp", ".temp", ".download"})
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SIGNATURES: Final = (_PNG, b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_SHORTEST_PART: Final = 4  # Fewer bytes may begin anything.


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the client's output directory; `name` is its path there.

    `has_key` is true if it contained the API key, which `content` does not.
    """

    name: str
    content: bytes
    has_key: bool = False


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """A file that looks like a picture, but is not a complete one; `problem` is a verb phrase."""

    name: str
    problem: str


class StoredPictures(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a client stored. `served` are the pictures that it downloaded, by URL."""

    files: tuple[StoredFile, ...]
    served: Mapping[str, bytes]

    @cached_property
    def copies(self) -> dict[str, list[str]]:
        """The names of the files with an unchanged picture, by the picture's URL."""
        names = {
            url: [each.name for each in self.files if each.content == picture]
            for url, picture in self.served.items()
        }
        return {url: found for url, found in names.items() if found}

    @cached_property
    def defects(self) -> tuple[Defect, ...]:
        """The files that should be pictures, but are not."""
        return tuple(self._defects())

    @cached_property
    def converted(self) -> int:
        """The number of different pictures that are not among the served ones."""
        damaged = {each.name for each in self.defects}
        contents = {
            each.content
            for each in self.files
            if is_picture(each.content) and each.name not in damaged
        }
        return len(contents.difference(self.served.values()))

    @property
    def has_other_content(self) -> bool:
        """Whether there is a binary file that may contain pictures, such as an archive."""
        return any(
            each.content and not is_picture(each.content) and not _is_text(each.content)
            for each in self.files
            if PurePosixPath(each.name).suffix.lower() not in _PICTURE_NAMES
        )

    def _defects(self) -> Iterator[Defect]:
        served = set(self.served.values())
        for each in self.files:
            suffix = PurePosixPath(each.name).suffix.lower()
            if suffix in _TEMPORARY_NAMES or each.content in served:
                continue
            problem = _problem(each.content, served, is_named=suffix in _PICTURE_NAMES)
            if problem:
                yield Defect(name=each.name, problem=problem)


def is_picture(content: bytes) -> bool:
    """Tell whether the content begins like a picture."""
    is_container = content[8:12] == b"WEBP" or content[4:8] == b"ftyp"  # WebP, AVIF
    return is_container or content.startswith(_SIGNATURES)


def _problem(content: bytes, served: set[bytes], *, is_named: bool) -> str:
    """Return what is wrong with a picture; `is_named` means that the file is named like one."""
    if not content:
        return "is empty" if is_named else ""
    for picture in served:
        if len(content) >= _SHORTEST_PART and picture.startswith(content):
            return f"has the first {len(content)} of {len(picture)} bytes of a result"
    if is_picture(content):
        is_changed = any(len(content) == len(each) for each in served)
        return "has the size of a result, but other bytes" if is_changed else ""
    return f"contains {_describe(content)}" if is_named else ""


def _describe(content: bytes) -> str:
    start = content[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "an HTML page"
    if start.startswith((b"{", b"[")):
        return "JSON"
    return "text" if _is_text(content) else "no picture"


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False
