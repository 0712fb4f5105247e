"""Errors of the control plane, in the envelope of the provider (ENV-2).

ControlError        rejects a call with a status and one sentence
└── WaitTimeout     rejects a wait that timed out (408); the response has the last state
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mock_server.domain.errors import StoreUnavailable
from mock_server.web.answer import RETRY_AFTER_S
from mock_server.web.body import ClientGone
from mock_server.web.redaction import Redactor

Handler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


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


def on_http_error(suggestion: Callable[[str], str]) -> Handler:
    """Return the handler for an unknown path (404), an unsupported method (405) and OPTIONS.

    `suggestion` returns what the client of an unknown path may have meant.
    """

    async def respond(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = Redactor.of_request(request.headers.raw).sentence(request.scope["path"])
        headers = error.headers or {}
        if error.status_code == 405:
            allowed = ", ".join(sorted(headers["Allow"].split(", ")))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": f"{allowed}, OPTIONS"})
            problem = f"must be called with {allowed} (got {request.method})"
        else:
            problem = f"unknown path; {suggestion(request.scope['path'])}"
        response = _response(error.status_code, f"{request.method} {path[:200]}: {problem}")
        response.headers.update(headers)
        return response

    return respond


def unavailable(error: StoreUnavailable) -> Response:
    """Return the response while the store cannot be used; the caller may try again."""
    response = _response(503, str(error))
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


async def on_client_gone(_: Request, __: Exception) -> Response:
    """Return a response for a client that has disconnected; it is never received."""
    return _response(400, "body: the client disconnected before the end")


async def on_crash(_: Request, __: Exception) -> Response:
    """Return the response to a request that raised an unexpected exception.

    The HTTP server logs the exception and closes the connection, so the response says so.
    """
    response = _response(500, "internal error of the mock server; its log has the traceback")
    response.headers["Connection"] = "close"
    return response


def exception_handlers(suggestion: Callable[[str], str]) -> dict[Any, Handler]:
    """Return the handlers of the router by type of exception."""
    return {
        HTTPException: on_http_error(suggestion),
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
    500: "Internal error",
    503: "Service unavailable",
}


def _response(status: int, detail: str) -> Response:
    body = msgspec.json.encode(Problem.of(status, detail))
    return Response(body, status, media_type="application/json")
