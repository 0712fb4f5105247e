"""Decodes what control is sent, and says what is wrong with it."""

import re
from typing import TypeVar

import msgspec
from starlette.requests import Request

from mock_server.control.replies import Refused
from mock_server.domain.nearest import did_you_mean
from mock_server.web.body import BodyTooLarge, read_body

MAX_BODY_BYTES = 1024 * 1024

T = TypeVar("T")

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*?)`")
_AT = re.compile(r"(.*) - at `\$\.?([^`]*)`", re.DOTALL)  # the last one: a value may look like it


async def read(request: Request, kind: type[T]) -> T:
    """Raise Refused (400, 413) naming path, problem and the nearest known word."""
    try:
        raw = await read_body(dict(request.headers.raw), request.receive, MAX_BODY_BYTES)
    except BodyTooLarge as error:
        raise Refused(413, f"body: must have at most {MAX_BODY_BYTES} bytes") from error
    return decode(raw or b"{}", kind)


def decode(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(400, _explain(str(error), kind)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"body: must be one JSON object in UTF-8; {error}") from error


def _explain(message: str, kind: type) -> str:
    found = _AT.fullmatch(message)
    problem, path = (found[1], found[2]) if found else (message, "")
    prefix = f"{path}." if path else ""
    if unknown := _UNKNOWN.match(problem):
        known = getattr(kind, "__struct_encode_fields__", ()) if not path else ()
        nearest = did_you_mean(unknown[1], known) if known else ""
        return f"{prefix}{unknown[1]}: is unknown{nearest}"
    if missing := _MISSING.match(problem):
        return f"Missing required field: {prefix}{missing[1]}"
    return f"{path or 'body'}: {problem[:1].lower()}{problem[1:].replace('`', '')}"
