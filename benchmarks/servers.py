"""What the mock is compared with: fixed answers of the same length on the same uvicorn."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

BODY = (
    b'{"code":200,"message":"success","data":{"taskId":"task_5867b839e04cb5f470340ccc50a257d7",'
    b'"state":"processing","createTime":1795431026878}}'
)
_HEADERS = [
    (b"date", b"Mon, 23 Nov 2026 10:50:26 GMT"),
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(BODY)),
]
SUBMIT = "/api/v1/generateTask/gpt-image-1"
STATUS = "/api/v1/statusTask/gpt-image-1"


async def bare(_: Scope, __: Receive, send: Send) -> None:
    """Answer any request with the same bytes, its body unread."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def _fixed(_: Request) -> Response:
    return Response(BODY, media_type="application/json")


routed = Starlette(
    routes=[Route(SUBMIT, _fixed, methods=["POST"]), Route(STATUS, _fixed, methods=["GET"])]
)

if __name__ == "__main__":
    name, port = sys.argv[1:]
    servers: dict[str, ASGIApp] = {"bare": bare, "routed": routed}
    uvicorn.run(
        servers[name],
        port=int(port),
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
    )
