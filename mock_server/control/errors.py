"""Errors of the control plane, in the envelope of the provider (ENV-2).

ControlError        rejects a call with a status and one sentence
└── WaitTimeout     rejects a wait that timed out (408); the response has the last state
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
    error: Annotated[
        str, Meta(description="Path, problem, value received, and the closest valid value.")
    ]


class Problem(msgspec.Struct):
    """An error in the envelope of the provider."""

    code: int
    message: str
    data: Detail

    @classmethod
    def of(cls, status: int, detail: str) -> "Problem":
        return cls(code=status, message=_MESSAGES.get(status, "Error"), data=Detail(error=detail))


class ControlError(Exception):
    """Rejects a call with a status and one sentence for the caller."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def answer(self) -> msgspec.Struct:
        return Problem.of(self.status, self.detail)


class WaitTimeout(ControlError):
    """Rejects a wait that timed out.

    `seen` is the last state. `kind` is the type of the response, which has the members of `seen`
    and those of a Problem.
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
    """Return the response to an unknown path (404) or an unsupported method (405)."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        detail = f"{request.method} {request.url.path[:200]}: method not allowed"
    else:
        detail = f"{request.method} {request.url.path[:200]}: unknown path"
    response = _response(error.status_code, detail)
    response.headers.update(error.headers or {})
    return response


async def on_client_gone(_: Request, __: Exception) -> Response:
    """Return a response for a client that has disconnected; it is never received."""
    return _response(400, "body: the client disconnected before the end")


async def on_crash(_: Request, __: Exception) -> Response:
    """Return the response to a request that raised an unexpected exception."""
    return _response(500, "internal error of the mock server; its log has the traceback")


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
    405: "Method not allowed",
    408: "Timed out",
    409: "Conflict",
    413: "Body too large",
    503: "Service unavailable",
}


def _response(status: int, detail: str) -> Response:
    body = msgspec.json.encode(Problem.of(status, detail))
    return Response(body, status, media_type="application/json")
