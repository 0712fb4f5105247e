"""How control shows entries of the journal, without the key."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from mock_server.domain.journal import MAX_BODY_BYTES, Entry, Header, Operation

Json = dict[str, Any]
REDACTED = "[redacted]"
_SECRET = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_BEARER = re.compile(r"\s*bearer\s+(\S+)\s*", re.IGNORECASE)
_IN_PATHS = "/!$&'()*+,;=:@[]"
_MANY_CHARS = 8  # a key of fewer would be found in words that have nothing to do with it


def entry_view(number: int, entry: Entry) -> Json:
    secrets = _secrets(entry.headers)
    is_callback = entry.operation is Operation.CALLBACK
    path = _without(secrets, entry.path)
    if not is_callback:
        path = quote(path, safe=_IN_PATHS)  # it has come decoded
    if entry.query:
        path = f"{path}?{entry.query.decode('latin-1')}"
    return {
        "seq": number,
        "at_ms": entry.at_ms,
        "real_ms": entry.real_ms,
        "operation": entry.operation,
        "task_id": entry.task_id or None,
        "status": entry.status or None,
        "duration_ms": entry.duration_us / 1000,
        "rule": entry.rule or None,
        "fault": entry.fault or None,
        "error": entry.error or None,
        "request": {
            "method": entry.method,
            "path": _without(secrets, path),
            "headers": _shown(entry.headers, secrets),
            "body": _without(secrets, entry.request.decode(errors="replace")),
            "is_cut": len(entry.request) >= MAX_BODY_BYTES,
        },
        "answer": None
        if is_callback
        else {
            "status": entry.status,
            "headers": _shown(entry.answer_headers, secrets),
            "body": _without(secrets, entry.answer.decode(errors="replace")),
            "body_bytes": entry.answer_bytes,
        },
    }


def without_key(entry: Entry) -> Entry:
    """Return an entry that may be written down."""
    secrets = _secrets(entry.headers)

    def bare(raw: bytes) -> bytes:
        return _without(secrets, raw.decode("latin-1")).encode("latin-1")

    return msgspec.structs.replace(
        entry,
        path=_without(secrets, entry.path),
        query=bare(entry.query),
        request=bare(entry.request),
        answer=bare(entry.answer),
        headers=_bytes(_shown(entry.headers, secrets)),
        answer_headers=_bytes(_shown(entry.answer_headers, secrets)),
    )


def _bytes(pairs: list[list[str]]) -> list[Header]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def _shown(headers: Iterable[Header], secrets: list[str]) -> list[list[str]]:
    named = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return [[name, _value(name, value, secrets)] for name, value in named]


def _value(name: str, value: str, secrets: list[str]) -> str:
    if name.lower() not in _SECRET:
        return _without(secrets, value)
    return f"Bearer {REDACTED}" if _BEARER.match(value) else REDACTED


def _secrets(headers: Iterable[Header]) -> list[str]:
    """Return the key of a request as it may stand elsewhere in it, too."""
    for name, value in headers:
        found = _BEARER.fullmatch(value.decode("latin-1")) if name == b"authorization" else None
        if found and len(found[1]) >= _MANY_CHARS:
            return [found[1]]
    return []


def _without(secrets: list[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text
