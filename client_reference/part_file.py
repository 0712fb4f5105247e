"""A download in progress, which can resume after an interruption."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

import httpx

from client_reference import image_files
from client_reference.errors import TransportError, UnexpectedResponse

_SIZE_MAX: Final = 256 * 1024 * 1024  # bytes
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")
_HEAD_MAX: Final = 200  # The number of bytes that an error shows.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """The headers of a response that identify the version of a file; empty if they are missing."""

    tag: str = ""
    modified: str = ""
    length: str = ""

    @classmethod
    def of(cls, headers: httpx.Headers, length: str) -> Self:
        return cls(
            tag=headers.get("ETag", ""), modified=headers.get("Last-Modified", ""), length=length
        )

    def contradicts(self, other: "_Version") -> bool:
        return any(ours and theirs and ours != theirs for ours, theirs in self._pairs(other))

    def merged_with(self, other: "_Version") -> "_Version":
        tag, modified, length = (ours or theirs for ours, theirs in self._pairs(other))
        return _Version(tag=tag, modified=modified, length=length)

    def _pairs(self, other: "_Version") -> tuple[tuple[str, str], ...]:
        return (
            (self.tag, other.tag),
            (self.modified, other.modified),
            (self.length, other.length),
        )


class PartFile:
    """A Sink that writes to a file and can resume (RFC 9110, 14)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("w+b")
        self._version = _Version()
        self._declared_type = ""

    def close(self) -> None:
        """Close the file; it stays on disk."""
        self._file.close()

    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers of the next request: for the whole image, or for the rest of it."""
        common = (("Accept", ", ".join(image_files.SUFFIXES)), ("Accept-Encoding", "identity"))
        received = self._file.tell()
        if not received:
            return common
        # Equal weak tags do not guarantee equal bytes.
        tag = self._version.tag
        condition = (("If-Range", tag),) if tag.startswith('"') else ()
        return (*common, ("Range", f"bytes={received}-"), *condition)

    def begin(self, status: int, headers: httpx.Headers) -> bool:
        """Return whether to read the body: resume for a matching 206, start again for a 200."""
        if status not in {200, 206}:
            return False
        if status == 206:
            self._resume(headers)
        else:
            self.restart()
            length = "" if "Content-Encoding" in headers else headers.get("Content-Length", "")
            self._version = _Version.of(headers, length)
        declared = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if declared or status == 200:  # A 206 may omit the type (RFC 9110, 15.3.7).
            self._declared_type = image_files.ALIASES.get(declared, declared)
        return True

    def _resume(self, headers: httpx.Headers) -> None:
        found = _CONTENT_RANGE.match(headers.get("Content-Range", ""))
        if found is not None and int(found[1]) == self._file.tell():
            version = _Version.of(headers, found[2].strip("*"))
            if not version.contradicts(self._version):
                self._version = version.merged_with(self._version)
                return
        self.restart()
        raise TransportError("the response is not the requested part of the file")

    def write(self, part: bytes) -> None:
        """Append the next part of the body."""
        if self._file.tell() + len(part) > _SIZE_MAX:
            raise UnexpectedResponse(f"the result is longer than {_SIZE_MAX} bytes")
        self._file.write(part)

    def restart(self) -> None:
        """Discard the received bytes."""
        self._version = _Version()
        self._file.seek(0)
        self._file.truncate()

    def check_image(self, url: str) -> str:
        """Return the media type of the image that was received.

        Raises UnexpectedResponse if it is not an image, or not of the declared type.  Raises
        TransportError if the image is incomplete; the next request then starts again.
        """
        self._file.flush()
        found = image_files.media_type(self._path)
        if found is None or found != self._declared_type:
            declared = self._declared_type or "nothing"
            with self._path.open("rb") as file:
                raise UnexpectedResponse(
                    f"{url}: declared as {declared}, but contains {found or 'no known image'}",
                    file.read(_HEAD_MAX),
                )
        if not image_files.is_complete(self._path):
            self.restart()
            raise TransportError(f"{url}: the image is truncated or damaged")
        return found
