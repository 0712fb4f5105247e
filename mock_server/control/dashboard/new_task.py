"""Submit a task from the page, as a client with the API key of the sandbox would."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.control.call import Call
from mock_server.domain.store import SandboxReader

_KEPT_HEADERS = {b"host", b"accept", b"content-type", b"content-length", b"transfer-encoding"}
# The page does not know the API key, and the journal shows every key like this.
_OWN_HEADERS = [
    (b"authorization", b"Bearer [redacted]"),
    (b"user-agent", b"apixo-mock-dashboard"),
]


class NewTask:
    """Passes a submit of the page to `submit`, with the sandbox in the state of its scope.

    The response is the one that a client would get, with limits, rules and faults.
    """

    def __init__(self, submit: ASGIApp, submit_path: str) -> None:
        self._submit = submit
        self._path = submit_path

    def calls(self) -> list[Call]:
        return [Call("POST", "/_mock/submit", self.submit)]

    async def submit(self, sandbox: SandboxReader, request: Request) -> Response:
        scope = {
            **request.scope,
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "headers": [
                *(each for each in request.scope["headers"] if each[0] in _KEPT_HEADERS),
                *_OWN_HEADERS,
            ],
        }
        return _Forwarded(self._submit, scope)


class _Forwarded(Response):
    """A response that another ASGI application sends."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        super().__init__()
        self._app = app
        self._scope = scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_undated(message: Message) -> None:
            if message["type"] == "http.response.start":  # The front door adds the date.
                kept = [each for each in message["headers"] if each[0] != b"date"]
                message = {**message, "headers": kept}
            await send(message)

        await self._app(self._scope, receive, send_undated)
