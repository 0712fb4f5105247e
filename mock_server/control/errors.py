"""How the control plane rejects a call (ENV-2).

ControlError        a status and one sentence for the caller
└── WaitTimeout     a wait ran out of time; the answer shows what was seen last
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mock_server.web.body import ClientGone


class Detail(msgspec.Struct):
    error: Annotated[str, Meta(description="path, problem and the nearest known word")]


class Problem(msgspec.Struct):
    """The provider's envelope of an error."""

    code: int
    message: str
    data: Detail

    @classmethod
    def of(cls, status: int, detail: str) -> "Problem":
        return cls(code=status, message=_MESSAGES.get(status, "Error"), data=Detail(error=detail))


class ControlError(Exception):
    """A call is rejected, with a status and one sentence for the caller."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def answer(self) -> msgspec.Struct:
        return Problem.of(self.status, self.detail)


class WaitTimeout(ControlError):
    """A wait ran out of time.

    `kind` is the type of the answer: the members of `seen` beside those of a Problem.
    """

    def __init__(
        self, detail: str, kind: Callable[..., msgspec.Struct], seen: msgspec.Struct
    ) -> None:
        super().__init__(408, detail)
        self._kind = kind
        self._seen = seen

    def answer(self) -> msgspec.Struct:
        problem = Problem.of(self.status, self.detail)
        return self._kind(**msgspec.structs.asdict(self._seen), **msgspec.structs.asdict(problem))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Put the router's own rejections, an unknown path or a wrong method, into the envelope."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        detail = f"{request.url.path} does not take {request.method}"
    else:
        detail = f"{request.method} {request.url.path[:200]}: no such path"
    response = _response(error.status_code, detail)
    response.headers.update(error.headers or {})
    return response


async def on_client_gone(_: Request, __: Exception) -> Response:
    """Answer a client that has left; nobody reads it."""
    return _response(400, "the body was not sent to its end")


async def on_crash(_: Request, __: Exception) -> Response:
    return _response(500, "the mock itself has failed; its log says how")


EXCEPTION_HANDLERS = {
    HTTPException: on_http_error,
    ClientGone: on_client_gone,
    Exception: on_crash,
}

_MESSAGES = {
    400: "Invalid request",
    401: "Invalid or missing API key",
    403: "Forbidden",
    404: "Not found",
    408: "Not yet",
    405: "Method not allowed",
    409: "Conflict",
    413: "Body too large",
    503: "Service unavailable",
}


def _response(status: int, detail: str) -> Response:
    body = msgspec.json.encode(Problem.of(status, detail))
    return Response(body, status, media_type="application/json")
