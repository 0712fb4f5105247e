"""The journal as HAR 1.2, a format that browsers and proxies read."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, UnsetType

from mock_server.control.answers import Milliseconds
from mock_server.control.journal_entry import EntryRequest, JournalEntry
from mock_server.control.long_list import long_list
from mock_server.version import __version__


class HarPair(msgspec.Struct):
    """A header or a query parameter."""

    name: str
    value: str


class HarPostData(msgspec.Struct, rename="camel"):
    mime_type: str
    params: list[HarPair]
    text: str


class HarRequest(msgspec.Struct, rename="camel", kw_only=True):
    method: str
    url: str
    http_version: str = "HTTP/1.1"
    cookies: list[HarPair] = []
    headers: list[HarPair]
    query_string: list[HarPair]
    headers_size: int = -1
    body_size: int
    post_data: HarPostData | UnsetType = UNSET


class HarContent(msgspec.Struct, rename="camel", kw_only=True):
    size: int
    mime_type: str
    text: str | UnsetType = UNSET


class HarResponse(msgspec.Struct, rename="camel", kw_only=True):
    status: int
    status_text: str
    http_version: str = "HTTP/1.1"
    cookies: list[HarPair] = []
    headers: list[HarPair]
    content: HarContent
    redirect_url: str = msgspec.field(name="redirectURL", default="")
    headers_size: int = -1
    body_size: int


class HarTimings(msgspec.Struct):
    send: float
    wait: float
    receive: float


class HarEntry(msgspec.Struct, kw_only=True):
    started: str = msgspec.field(name="startedDateTime")
    time: Milliseconds
    request: HarRequest
    response: HarResponse
    cache: dict[str, str]
    timings: HarTimings
    comment: str


class HarCreator(msgspec.Struct):
    name: str
    version: str


class HarLog(msgspec.Struct):
    version: Literal["1.2"]
    creator: HarCreator
    entries: list[HarEntry]


class HarArchive(msgspec.Struct):
    log: HarLog


def har(entries: Iterable[JournalEntry], scheme: str = "http") -> HarArchive:
    """Return an archive. Its times are of the real clock; its bodies may be truncated.

    `scheme` is that of the server's own URLs.
    """
    return HarArchive(log=_log([_entry(entry, scheme) for entry in entries]))


def long_har(entries: Iterable[JournalEntry], scheme: str) -> HarArchive:
    """Return the same archive as an answer that is encoded in pieces."""
    return HarArchive(log=_log(long_list(_entry(entry, scheme) for entry in entries)))


def _log(entries: list[HarEntry]) -> HarLog:
    creator = HarCreator(name="apixo-testkit", version=__version__)
    return HarLog(version="1.2", creator=creator, entries=entries)


def _entry(entry: JournalEntry, scheme: str) -> HarEntry:
    started = datetime.fromtimestamp(entry.real_ms / 1000, UTC)
    return HarEntry(
        started=started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        time=entry.duration_ms,
        request=_request(entry.request, scheme),
        response=_response(entry),
        cache={},
        timings=HarTimings(send=0, wait=entry.duration_ms, receive=0),
        comment=_comment(entry),
    )


def _request(request: EntryRequest, scheme: str) -> HarRequest:
    headers = _pairs(request.headers)
    url = _url(request.path, headers, scheme)
    return HarRequest(
        method=request.method,
        url=url,
        headers=headers,
        query_string=_pairs(parse_qsl(_query(url), keep_blank_values=True)),
        body_size=len(request.body.encode()),
        post_data=HarPostData(
            mime_type=_value(headers, "content-type") or "application/json",
            params=[],
            text=request.body,
        )
        if request.body
        else UNSET,
    )


def _response(entry: JournalEntry) -> HarResponse:
    """Return the response. For a callback, only the status is known."""
    answer, status = entry.answer, entry.status or 0
    body, size = ("", 0) if answer is None else (answer.body, answer.body_bytes)
    return HarResponse(
        status=status,
        status_text=HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        headers=[] if answer is None else _pairs(answer.headers),
        content=HarContent(
            size=size,
            mime_type="image/png" if size and not body else "application/json",
            text=body or UNSET,
        ),
        body_size=size,
    )


def _comment(entry: JournalEntry) -> str:
    notes = {"rule": entry.rule, "fault": entry.fault, "error": entry.error}
    shown = [f"{name} {value}" for name, value in notes.items() if value]
    return "; ".join([f"{entry.operation} {entry.seq}", *shown])


def _url(path: str, headers: list[HarPair], scheme: str) -> str:
    if not path.startswith("/"):
        return path
    return f"{scheme}://{_value(headers, 'host') or 'localhost'}{path}"


def _query(url: str) -> str:
    """Return the query of any text that a client used as a URL; `urlsplit` rejects some hosts."""
    return url.partition("#")[0].partition("?")[2]


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[HarPair]:
    return [HarPair(name=name, value=value) for name, value in pairs]


def _value(headers: list[HarPair], name: str) -> str:
    return next((each.value for each in headers if each.name.lower() == name), "")
