"""Run a server that the mock is compared with: an ASGI callable with a fixed response.

It runs on the same uvicorn with uvloop and httptools, and sends the headers of the mock. The body
of a submit is decoded with msgspec, the fastest decoder that an application could choose.
"""

import sys
from typing import TYPE_CHECKING

import uvicorn
from msgspec.json import decode

if TYPE_CHECKING:  # The import would slow the start of a server that does not need Starlette.
    from starlette.types import ASGIApp, Receive, Scope, Send

_STATUS = (
    b'{"code":200,"message":"success","data":{"taskId":"task_5867b839e04cb5f470340ccc50a257d7",'
    b'"state":"processing","createTime":1795431026878}}'
)
_SUBMIT = (
    b'{"code":200,"message":"success","data":{"taskId":"task_5867b839e04cb5f470340ccc50a257d7"}}'
)


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"date", b"Mon, 23 Nov 2026 10:50:26 GMT"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]


_STATUS_START = {"type": "http.response.start", "status": 200, "headers": _headers(_STATUS)}
_SUBMIT_START = {"type": "http.response.start", "status": 200, "headers": _headers(_SUBMIT)}


async def status(_: "Scope", __: "Receive", send: "Send") -> None:
    """Answer every request with the same bytes."""
    await send(_STATUS_START)
    await send({"type": "http.response.body", "body": _STATUS})


async def submit(_: "Scope", receive: "Receive", send: "Send") -> None:
    """Read and decode the body, then answer with the same bytes."""
    message = await receive()
    body = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    decode(body)
    await send(_SUBMIT_START)
    await send({"type": "http.response.body", "body": _SUBMIT})


def main(name: str, port: int) -> None:
    apps: dict[str, ASGIApp] = {"status": status, "submit": submit}
    uvicorn.run(
        apps[name],
        port=port,
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


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
