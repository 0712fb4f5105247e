"""Decode request bodies of the control plane."""

from typing import TypeVar

from starlette.requests import Request

from mock_server.control.errors import ControlError
from mock_server.domain.errors import InvalidValue
from mock_server.domain.validation import decode_json
from mock_server.web.body import BodyTooLarge, read_body

MAX_BODY_BYTES = 1024 * 1024

T = TypeVar("T")


async def read(request: Request, kind: type[T]) -> T:
    """Return the body as this type; an empty body counts as `{}`.

    Raise ControlError (400, 413); its text names the path, the problem and a suggestion.
    """
    try:
        raw = await read_body(dict(request.headers.raw), request.receive, MAX_BODY_BYTES)
    except BodyTooLarge as error:
        raise ControlError(413, f"body: must have at most {MAX_BODY_BYTES} bytes") from error
    return decode(raw or b"{}", kind)


def decode(raw: bytes, kind: type[T]) -> T:
    """Return a JSON text as this type.

    Raise ControlError (400); its text names the path, the problem and a suggestion.
    """
    try:
        return decode_json(raw, kind)
    except InvalidValue as error:
        told = f"Missing required field: {error.path}" if error.is_missing else str(error)
        raise ControlError(400, told) from error
