"""Check reference images by their URLs, without a request (SUB-12, SUB-13, FAIL-2)."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from mock_server.domain.data_url import DataTooLarge, decode, is_data_url
from mock_server.domain.errors import quoted
from mock_server.domain.ports import BadImage, ImageProblem

FormatRecogniser = Callable[[bytes], str | None]  # Names a format such as "PNG", or None.

_LONGEST_REASON = 200  # The standard library repeats the host in its errors.
_SUPPORTED_EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp"}
# The table of the standard library lacks these extensions in some versions of Python.
_UNSUPPORTED_EXTENSIONS = {
    ".7z", ".apng", ".avif", ".bz2", ".docx", ".gz", ".heic", ".heif", ".ico", ".jfif", ".jpe",
    ".jxl", ".pptx", ".psd", ".rar", ".raw", ".tga", ".webm", ".xlsx", ".xz",
}  # fmt: skip


def find_bad_image_by_url(
    urls: Sequence[str],
    recognise_format: FormatRecogniser,
    formats: Sequence[str],
    max_bytes: int,
) -> BadImage | None:
    """Return the first image that its URL shows to be unusable, or None.

    A URL is unusable if its scheme, host or extension cannot belong to an image. The content
    of a data URL must have one of the `formats` and at most `max_bytes` bytes.
    """
    for index, url in enumerate(urls):
        found = _find_problem(url, recognise_format, formats, max_bytes)
        if found:
            return BadImage(index, *found)
    return None


def _find_problem(
    url: str, recognise_format: FormatRecogniser, formats: Sequence[str], max_bytes: int
) -> tuple[ImageProblem, str] | None:
    if is_data_url(url):
        return _find_data_problem(url, recognise_format, formats, max_bytes)
    shown = quoted(url)
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError as error:
        return ImageProblem.UNREACHABLE, f"{shown}: invalid URL ({str(error)[:_LONGEST_REASON]})"
    if parts.scheme not in {"http", "https"}:
        return ImageProblem.UNREACHABLE, f"{shown}: must be an http, https or data URL"
    if not host:
        return ImageProblem.UNREACHABLE, f"{shown}: the host is missing"
    if host == "invalid" or host.endswith(".invalid"):
        return ImageProblem.UNREACHABLE, f"{shown}: hosts under .invalid do not exist"
    extension = PurePosixPath(unquote(parts.path)).suffix.casefold()
    if _is_unsupported(extension):
        return (
            ImageProblem.WRONG_FORMAT,
            f"{shown}: the extension must be jpg, jpeg, png or webp (got {extension})",
        )
    return None


def _find_data_problem(
    url: str, recognise_format: FormatRecogniser, formats: Sequence[str], max_bytes: int
) -> tuple[ImageProblem, str] | None:
    try:
        content = decode(url, max_bytes)
    except DataTooLarge as error:
        return ImageProblem.TOO_LARGE, str(error)
    except ValueError as error:
        return ImageProblem.WRONG_FORMAT, str(error)
    found = recognise_format(content)
    if found in formats:
        return None
    return ImageProblem.WRONG_FORMAT, (
        f"the data URL contains {found or 'no image'}; must be {', '.join(formats)}"
    )


def _is_unsupported(extension: str) -> bool:
    if extension in _SUPPORTED_EXTENSIONS:
        return False
    return extension in _UNSUPPORTED_EXTENSIONS or extension in _known_extensions()


@cache
def _known_extensions() -> frozenset[str]:
    """Return those of the built-in table, which is the same on every machine."""
    from mimetypes import MimeTypes  # noqa: PLC0415  # It is slow to import and to make.

    return frozenset().union(*MimeTypes().types_map)
