"""Download results: each to a temporary name, checked, then renamed (RES-1 … RES-3).

File access is the only I/O that a flow does itself.  Requests for results never have the API key.
"""

import hashlib
import re
import secrets
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx

from client_reference import answers
from client_reference.errors import (
    ApixoError,
    RateLimited,
    ResultExpired,
    ServerError,
    TlsError,
    TransportError,
    UnexpectedResponse,
)
from client_reference.image_files import SUFFIXES
from client_reference.part_file import PartFile
from client_reference.retrying import LONGEST_CALL_S, retry
from client_reference.steps import Fetch, Flow
from client_reference.task import Generation
from client_reference.timeline import Timeline

_EXPIRED: Final = frozenset({403, 404, 410})  # A signed URL returns 403 once it has expired.
_REDIRECTS_MAX: Final = 10
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")


class Download:
    """The flows of one call of `download`."""

    def __init__(self, timeline: Timeline, *, timeout_s: float, max_retries: int) -> None:
        self._timeline = timeline
        self._timeout_s = timeout_s
        self._max_retries = max_retries

    def save_all(self, generation: Generation, directory: Path) -> Flow[list[Path]]:
        """Return the paths in the order of the URLs; files saved before an error stay."""
        directory.mkdir(parents=True, exist_ok=True)
        name = _file_name(generation.task.id)
        files: list[Path] = []
        try:
            for number, url in enumerate(generation.urls, 1):
                path = directory / f".{name}-{number}-{secrets.token_hex(4)}.part"
                try:
                    media_type = yield from self._save(url, path)
                    final_name = f"{name}-{number}{SUFFIXES[media_type]}"
                    files.append(path.replace(directory / final_name))
                finally:
                    path.unlink(missing_ok=True)
        except ApixoError as error:
            error.task = error.task or generation.task
            raise
        return files

    def _save(self, url: str, path: Path) -> Flow[str]:
        """Save one image in the file; return its media type."""
        with closing(PartFile(path)) as part:

            def attempt_once() -> Flow[str]:
                head = yield from self._fetch(url, part)
                if head.status_code not in {200, 206}:
                    raise self._error_of(url, head, part)
                return part.check_image(url)

            return (
                yield from retry(
                    attempt_once,
                    self._timeline,
                    max_retries=self._max_retries,
                    until_s=self._timeline.now_s() + LONGEST_CALL_S,
                    may_retry=lambda error: (
                        isinstance(error, TransportError | ServerError | RateLimited)
                        and not isinstance(error, TlsError)
                    ),
                )
            )

    def _fetch(self, url: str, part: PartFile) -> Flow[httpx.Response]:
        """Fetch a URL and follow redirects, without the API key and without cookies."""
        address = url
        for _ in range(_REDIRECTS_MAX):
            head = yield Fetch(
                url=address, headers=part.request_headers(), sink=part, timeout_s=self._timeout_s
            )
            assert head is not None, "every download has a response"
            if not head.has_redirect_location:
                return head
            address = _redirect_target(address, head)
        raise UnexpectedResponse(f"{url}: more than {_REDIRECTS_MAX} redirects")

    def _error_of(self, url: str, head: httpx.Response, part: PartFile) -> ApixoError:
        if head.status_code in _EXPIRED:
            return ResultExpired(url, head.status_code)
        if head.status_code == 416:
            part.restart()
            return TransportError(f"{url}: the host does not have the requested part")
        error = answers.read_error(head, self._timeline.now_s())
        if isinstance(error, ServerError | RateLimited):
            return error
        return UnexpectedResponse(f"{url}: the response contains no image", b"", head)


def _file_name(task_id: str) -> str:
    """Return the task id if it is a safe file name, else its safe characters and a digest."""
    cleaned = _UNSAFE.sub("_", task_id)[:100]
    if cleaned == task_id:
        return cleaned
    digest = hashlib.sha256(task_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{cleaned}-{digest[:8]}"


def _redirect_target(url: str, head: httpx.Response) -> str:
    try:
        target = urljoin(url, head.headers["Location"])
    except ValueError:
        target = ""
    if not answers.is_web_url(target):
        raise UnexpectedResponse(f"{url}: redirected to an invalid URL", b"", head)
    return target
