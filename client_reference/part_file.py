"""One download as far as it has come; a later answer goes on where an earlier one broke off."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

import httpx

from client_reference import pictures
from client_reference.errors import TransportError, UnexpectedResponse

_PICTURE_MAX: Final = 256 * 1024 * 1024  # bytes
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_HEAD: Final = 200  # bytes shown of what is no picture


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """What an answer tells of the picture that it is a part of; empty where it tells nothing."""

    tag: str = ""
    changed: str = ""
    length: str = ""

    @classmethod
    def of(cls, headers: httpx.Headers, length: str) -> Self:
        return cls(
            tag=headers.get("ETag", ""), changed=headers.get("Last-Modified", ""), length=length
        )

    def differs(self, other: "_Version") -> bool:
        return any(ours and theirs and ours != theirs for ours, theirs in self._beside(other))

    def with_more(self, other: "_Version") -> "_Version":
        tag, changed, length = (ours or theirs for ours, theirs in self._beside(other))
        return _Version(tag=tag, changed=changed, length=length)

    def _beside(self, other: "_Version") -> tuple[tuple[str, str], ...]:
        return (
            (self.tag, other.tag),
            (self.changed, other.changed),
            (self.length, other.length),
        )


class PartFile:
    """A Sink over a file (RFC 9110, 14)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("w+b")
        self._version = _Version()
        self._declared_type = ""

    def close(self) -> None:
        self._file.close()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return those of the next request: for all of it, or for the rest."""
        common = (("Accept", ", ".join(pictures.SUFFIXES)), ("Accept-Encoding", "identity"))
        have = self._file.tell()
        if not have:
            return common
        tag = self._version.tag  # a weak one proves nothing
        same = (("If-Range", tag),) if tag.startswith('"') else ()
        return (*common, ("Range", f"bytes={have}-"), *same)

    def begin(self, status: int, headers: httpx.Headers) -> bool:
        """Go on with a 206 that continues what is there; a 200 starts anew."""
        if status not in {200, 206}:
            return False
        if status == 206:
            self._go_on(headers)
        else:
            self.restart()
            length = "" if "Content-Encoding" in headers else headers.get("Content-Length", "")
            self._version = _Version.of(headers, length)
        declared = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if declared or status == 200:  # a part need not say it again (RFC 9110, 15.3.7)
            self._declared_type = pictures.OTHER_NAMES.get(declared, declared)
        return True

    def _go_on(self, headers: httpx.Headers) -> None:
        found = _RANGE.match(headers.get("Content-Range", ""))
        if found is not None and int(found[1]) == self._file.tell():
            version = _Version.of(headers, found[2].strip("*"))
            if not version.differs(self._version):
                self._version = version.with_more(self._version)
                return
        self.restart()
        raise TransportError("the part that came is not the part that was asked for")

    def write(self, part: bytes) -> None:
        if self._file.tell() + len(part) > _PICTURE_MAX:
            raise UnexpectedResponse(f"the result is longer than {_PICTURE_MAX} bytes")
        self._file.write(part)

    def restart(self) -> None:
        self._version = _Version()
        self._file.seek(0)
        self._file.truncate()

    def picture_type(self, url: str) -> str:
        """Return the media type of what has come, once all has.

        Raises UnexpectedResponse for what is no picture, or not of the declared type, and
        TransportError for a picture that is not whole; then the download starts anew.
        """
        self._file.flush()
        found = pictures.media_type(self._path)
        if found is None or found != self._declared_type:
            declared = self._declared_type or "nothing"
            with self._path.open("rb") as file:
                raise UnexpectedResponse(
                    f"{url} is declared as {declared} and holds {found or 'no picture'}",
                    file.read(_HEAD),
                )
        if not pictures.is_whole(self._path):
            self.restart()
            raise TransportError(f"{url} breaks off or is damaged: it is no whole picture")
        return found
