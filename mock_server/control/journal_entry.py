"""An entry of the journal as the control plane shows it, with the API key redacted."""

from typing import Annotated, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Meta

from mock_server.control.answers import Count, Instant, Milliseconds
from mock_server.domain.faults.injected import FaultKind, Injected
from mock_server.domain.faults.wire import WireFault
from mock_server.domain.journal import MAX_BODY_BYTES, Entry
from mock_server.domain.operation import Operation
from mock_server.web.redaction import Redactor

AnyEntry = TypeVar("AnyEntry", bound=Entry)

Headers = Annotated[list[tuple[str, str]], Meta(description="As sent, with secrets redacted.")]

_CLIENT_STATUSES = {fault.value: fault.traits.client_status for fault in WireFault}
_IN_PATHS = "/!$&'()*+,;=:@[]"


class EntryRequest(msgspec.Struct):
    method: str
    path: str
    headers: Headers
    body: str
    is_cut: bool


class EntryAnswer(msgspec.Struct):
    status: int
    headers: Headers
    body: str
    body_bytes: Count


class JournalEntry(msgspec.Struct):
    seq: Annotated[int, Meta(ge=1)]
    at_ms: Instant
    real_ms: Annotated[int, Meta(ge=0, description="Unix milliseconds of the real clock.")]
    operation: Operation
    task_id: str | None
    status: int | None
    client_status: Annotated[
        int | None,
        Meta(
            description="The status that the client received. It differs from `status` if a wire"
            " fault replaced the response, and is null if there was none."
        ),
    ]
    duration_ms: Milliseconds
    rule: str | None
    fault: str | None
    injected: tuple[Injected, ...]
    error: str | None
    request: EntryRequest
    answer: EntryAnswer | None

    @classmethod
    def of(cls, number: int, entry: Entry) -> "JournalEntry":
        redactor = Redactor.of_request(entry.headers)
        is_callback = entry.operation is Operation.CALLBACK
        return cls(
            seq=number,
            at_ms=entry.at_ms,
            real_ms=entry.real_ms,
            operation=entry.operation,
            task_id=entry.task_id or None,
            status=entry.status or None,
            client_status=_client_status(entry) or None,
            duration_ms=entry.duration_us / 1000,
            rule=entry.rule or None,
            fault=entry.fault or None,
            injected=entry.injected,
            error=entry.error or None,
            request=EntryRequest(
                method=entry.method,
                path=_path(entry, redactor),
                headers=redactor.headers(entry.headers),
                body=redactor.text(entry.request.decode(errors="replace")),
                is_cut=len(entry.request) >= MAX_BODY_BYTES,
            ),
            answer=None
            if is_callback
            else EntryAnswer(
                status=entry.status,
                headers=redactor.headers(entry.answer_headers),
                body=redactor.text(entry.answer.decode(errors="replace")),
                body_bytes=entry.answer_bytes,
            ),
        )


def _client_status(entry: Entry) -> int:
    wire = next((each.name for each in entry.injected if each.kind is FaultKind.WIRE), "")
    replaced = _CLIENT_STATUSES.get(wire)
    return entry.status if replaced is None else replaced


def redacted(entry: AnyEntry, redactor: Redactor) -> AnyEntry:
    """Return an entry for a snapshot: without secrets, and with every form of the key redacted.

    A snapshot has bytes in base64, so a form of the key could not be found there later.
    """
    return msgspec.structs.replace(
        entry,
        path=redactor.everywhere(entry.path.encode(errors="replace")).decode(errors="replace"),
        query=redactor.everywhere(entry.query),
        request=redactor.everywhere(entry.request),
        answer=redactor.everywhere(entry.answer),
        headers=redactor.headers_everywhere(entry.headers),
        answer_headers=redactor.headers_everywhere(entry.answer_headers),
    )


def _path(entry: Entry, redactor: Redactor) -> str:
    path = redactor.text(entry.path)
    if entry.operation is not Operation.CALLBACK:
        path = quote(
            path, safe=_IN_PATHS
        )  # Only paths of requests to this server are stored decoded.
    if entry.query:
        path = f"{path}?{entry.query.decode('latin-1')}"
    return redactor.text(path)
