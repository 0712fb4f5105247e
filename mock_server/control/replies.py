"""What the control plane answers: plain JSON, and errors in the provider's envelope."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.domain.nearest import did_you_mean
from mock_server.web import envelope


class Refused(Exception):
    """A request of control that is refused: a status and one sentence for the caller."""

    def __init__(self, status: int, detail: str, seen: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.seen = seen or {}  # what stands beside the envelope's own members


Handler = Callable[[Request], Awaitable[Response]]


class Resource(Route):
    """`query` names the parameters that it takes."""

    def __init__(
        self, path: str, handle: Handler, *, methods: Sequence[str], query: Sequence[str]
    ) -> None:
        super().__init__(path, handle, methods=list(methods))
        self.query = tuple(query)


def resource(path: str, *, query: Sequence[str] = (), **handlers: Handler) -> Resource:
    """Return the route of one resource; each handler is named by its HTTP method.

    `query` names the parameters that it takes; others are refused.
    """

    async def handle(request: Request) -> Response:
        for name in request.query_params:
            if name not in query:
                hint = did_you_mean(name, query) if query else "; this call takes no query"
                raise Refused(400, f"{name[:100]}: is unknown{hint}")
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Resource(path, handle, methods=list(handlers), query=query)


def reply(data: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(data), status, media_type="application/json")


async def on_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _error(error.status, error.detail, error.seen)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Put the router's own refusals, an unknown path or a wrong method, into the envelope."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        response = _error(405, f"{request.url.path} does not take {request.method}")
    else:
        response = _error(
            error.status_code, f"{request.method} {request.url.path[:200]}: no such path"
        )
    response.headers.update(error.headers or {})
    return response


async def on_client_gone(_: Request, __: Exception) -> Response:
    """Answer a client that has left; nobody hears it."""
    return _error(400, "the body was not sent to its end")


async def on_crash(_: Request, __: Exception) -> Response:
    return _error(500, "the mock itself has failed; its log says how")


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


def _error(status: int, detail: str, seen: dict[str, Any] | None = None) -> Response:
    message = _MESSAGES.get(status, "Error")
    told = {"code": status, "message": message, "data": {"error": detail}, **(seen or {})}
    body = envelope.encode(told)
    return Response(body, status, media_type="application/json")
