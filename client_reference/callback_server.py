"""The web application that takes callbacks, and a thread that serves it.

Only programs that receive callbacks import this module, because it needs a web server.
"""

import socket
from collections.abc import Callable
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_BODY_MAX = 64 * 1024  # bytes; a receiver keeps thousands of callbacks.
_STOP_S = 5.0


def callback_app(token: str, problem_of: Callable[[bytes], str | None]) -> Starlette:
    """Return an app that passes the body of each POST to `/token` to `problem_of`.

    The app responds with 400 and the problem, or with 200 if there is none.
    """

    async def receive(request: Request) -> Response:
        body = bytearray()
        try:
            async for part in request.stream():
                body += part
                if len(body) > _BODY_MAX:
                    return _reject(413, f"the body is longer than {_BODY_MAX} bytes")
        except ClientDisconnect:  # The service does not receive this response, and retries.
            return _reject(400, "the body is truncated")
        problem = problem_of(bytes(body))
        return Response() if problem is None else _reject(400, problem)

    return Starlette(routes=[Route(f"/{token}", receive, methods=["POST"])])


class ServerThread:
    """A server in its own thread; it does not handle the signals of the process."""

    def __init__(self, app: Starlette, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=1024)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = Thread(
            target=self._uvicorn.run, args=([self._listener],), name="callbacks", daemon=True
        )
        self._thread.start()

    @property
    def origin(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(_STOP_S)
        self._listener.close()


def _reject(status: int, problem: str) -> Response:
    body = {"code": status, "message": "Not a callback", "data": {"error": problem}}
    return JSONResponse(body, status_code=status)
