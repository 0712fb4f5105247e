"""Reference images judged by their addresses alone, with no network (SUB-12, SUB-13, FAIL-2)."""

from collections.abc import Callable, Sequence
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from mock_server.domain.data_address import DataTooLarge, decode, is_data_address
from mock_server.domain.ports import BadImage, ImageProblem

SHOWN_LENGTH = 120
RIGHT_EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp"}
# What the standard library's table lacks in some versions
_WRONG_EXTENSIONS = {
    ".7z", ".apng", ".avif", ".bz2", ".docx", ".gz", ".heic", ".heif", ".ico", ".jfif", ".jpe",
    ".jxl", ".pptx", ".psd", ".rar", ".raw", ".tga", ".webm", ".xlsx", ".xz",
}  # fmt: skip
_KNOWN_TYPES = MimeTypes()  # the table in the standard library, not the machine's files


def first_untrusted(
    urls: Sequence[str], recognise: Callable[[bytes], str | None], formats: Sequence[str],
    max_bytes: int,
) -> BadImage | None:  # fmt: skip
    """Return the first address that cannot be a good reference image by what it says itself.

    `recognise` names the format of image content, None when it is no image.
    """
    for index, url in enumerate(urls):
        found = _problem(url, recognise, formats, max_bytes)
        if found:
            return BadImage(index, *found)
    return None


def _problem(
    url: str, recognise: Callable[[bytes], str | None], formats: Sequence[str], max_bytes: int
) -> tuple[ImageProblem, str] | None:
    if is_data_address(url):
        return _data_problem(url, recognise, formats, max_bytes)
    shown = url[:SHOWN_LENGTH]
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError as error:
        return ImageProblem.UNREACHABLE, f"{shown!r} is not an address ({error})"
    if parts.scheme not in {"http", "https"}:
        return ImageProblem.UNREACHABLE, f"{shown!r} is not an http, https or data address"
    if not host:
        return ImageProblem.UNREACHABLE, f"{shown!r} names no host"
    if host == "invalid" or host.endswith(".invalid"):
        return ImageProblem.UNREACHABLE, f"{shown!r}: the host stands under .invalid"
    extension = PurePosixPath(unquote(parts.path)).suffix.casefold()
    if _is_wrong(extension):
        return ImageProblem.WRONG_FORMAT, f"{shown!r}: {extension} is not jpg, jpeg, png or webp"
    return None


def _data_problem(
    url: str, recognise: Callable[[bytes], str | None], formats: Sequence[str], max_bytes: int
) -> tuple[ImageProblem, str] | None:
    try:
        content = decode(url, max_bytes)
    except DataTooLarge as error:
        return ImageProblem.TOO_LARGE, str(error)
    except ValueError as error:
        return ImageProblem.WRONG_FORMAT, str(error)
    found = recognise(content)
    if found in formats:
        return None
    return ImageProblem.WRONG_FORMAT, f"the data address holds {found or 'no image'}"


def _is_wrong(extension: str) -> bool:
    if extension in RIGHT_EXTENSIONS:
        return False
    known = any(extension in table for table in _KNOWN_TYPES.types_map)
    return known or extension in _WRONG_EXTENSIONS
