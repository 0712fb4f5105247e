"""Downloads results: each to a temporary name, checked, then renamed (RES-1 … RES-3).

Files are the only thing that a flow touches by itself; the key is never sent to the result's host.
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
    TransportError,
    UnexpectedResponse,
)
from client_reference.part_file import PartFile
from client_reference.pictures import SUFFIXES
from client_reference.retrying import LONGEST_CALL_S, repeated
from client_reference.steps import Fetch, Flow
from client_reference.task import Generation
from client_reference.timeline import Timeline

_GONE: Final = frozenset({403, 404, 410})  # a signed address answers 403 once it has expired
_REDIRECTS_MAX: Final = 10
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


def download(
    generation: Generation, directory: Path, timeline: Timeline, max_retries: int
) -> Flow[list[Path]]:
    """Return the files in the order of the addresses; those that came before an error stay."""
    directory.mkdir(parents=True, exist_ok=True)
    name = _file_name(generation.task.id)
    files: list[Path] = []
    try:
        for number, url in enumerate(generation.urls, 1):
            path = directory / f".{name}-{number}-{secrets.token_hex(4)}.part"
            try:
                kind = yield from _picture(url, path, timeline, max_retries)
                files.append(path.replace(directory / f"{name}-{number}{SUFFIXES[kind]}"))
            finally:
                path.unlink(missing_ok=True)
    except ApixoError as error:
        error.task = error.task or generation.task
        raise
    return files


def _file_name(task_id: str) -> str:
    """Return the id where it can name a file; else what is left of it, and which one it was."""
    cleaned = _NO_NAME.sub("_", task_id)[:100]
    if cleaned == task_id:
        return cleaned
    digest = hashlib.sha256(task_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{cleaned}-{digest[:8]}"


def _picture(url: str, path: Path, timeline: Timeline, max_retries: int) -> Flow[str]:
    """Fetch one picture into the file, whole; return its media type."""
    with closing(PartFile(path)) as part:

        def once() -> Flow[str]:
            head = yield from _head(url, part)
            if head.status_code not in {200, 206}:
                raise _refusal(url, head, timeline, part)
            return part.picture_type(url)

        return (
            yield from repeated(
                once,
                timeline,
                max_retries=max_retries,
                until_s=timeline.now_s() + LONGEST_CALL_S,
                is_worth=lambda error: isinstance(
                    error, TransportError | ServerError | RateLimited
                ),
            )
        )


def _head(url: str, part: PartFile) -> Flow[httpx.Response]:
    """Fetch, and follow redirects here, so that each request is made without key and cookies."""
    address = url
    for _ in range(_REDIRECTS_MAX):
        head = yield Fetch(url=address, headers=part.headers(), sink=part)
        assert head is not None, "every download is answered"
        if not head.has_redirect_location:
            return head
        address = _redirected(address, head)
    raise UnexpectedResponse(f"{url} is redirected more than {_REDIRECTS_MAX} times")


def _redirected(url: str, head: httpx.Response) -> str:
    try:
        address = urljoin(url, head.headers["Location"])
    except ValueError:
        address = ""
    if not answers.is_web_address(address):
        raise UnexpectedResponse(f"{url} is redirected to no web address", b"", head)
    return address


def _refusal(url: str, head: httpx.Response, timeline: Timeline, part: PartFile) -> ApixoError:
    if head.status_code in _GONE:
        return ResultExpired(url, head.status_code)
    if head.status_code == 416:
        part.restart()
        return TransportError(f"{url} has not the rest that was asked for")
    refusal = answers.refusal(head, timeline.now_s())
    if isinstance(refusal, ServerError | RateLimited):
        return refusal
    return UnexpectedResponse(f"{url} gives no picture", b"", head)
