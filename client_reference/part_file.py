"""One download as far as it has come; a later answer goes on where an earlier one broke off."""

import re
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from client_reference import pictures
from client_reference.errors import TransportError, UnexpectedResponse

_PICTURE_MAX: Final = 256 * 1024 * 1024  # bytes
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_HEAD: Final = 200  # bytes shown of what is no picture


class PartFile:
    """A Sink over a file (RFC 9110, 14)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("w+b")
        self._etag: str | None = None
        self._declared_type = ""

    def close(self) -> None:
        self._file.close()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return those of the next request: for all of it, or for the rest."""
        common = (("Accept", ", ".join(pictures.SUFFIXES)), ("Accept-Encoding", "identity"))
        have = self._file.tell()
        if not have:
            return common
        same = (("If-Range", self._etag),) if self._etag else ()
        return (*common, ("Range", f"bytes={have}-"), *same)

    def begin(self, status: int, headers: httpx.Headers) -> bool:
        """Go on with a 206 that continues what is there; a 200 starts anew."""
        if status not in {200, 206}:
            return False
        etag = headers.get("ETag", "")
        if status == 206:
            found = _RANGE.match(headers.get("Content-Range", ""))
            is_another = self._etag is not None and etag not in {"", self._etag}
            if found is None or int(found[1]) != self._file.tell() or is_another:
                self.restart()
                raise TransportError("the part that came is not the part that was asked for")
        else:
            self.restart()
        self._etag = etag if etag.startswith('"') else None
        self._declared_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return True

    def write(self, part: bytes) -> None:
        if self._file.tell() + len(part) > _PICTURE_MAX:
            raise UnexpectedResponse(f"the result is longer than {_PICTURE_MAX} bytes")
        self._file.write(part)

    def restart(self) -> None:
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
