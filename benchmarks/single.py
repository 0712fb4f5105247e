"""Send single requests, which are not measured."""

import http.client

from benchmarks.errors import BenchError
from benchmarks.wrk import Request

_TIMEOUT_S = 120


def status_and_body(port: int, request: Request) -> tuple[int, bytes]:
    """Send one request on a connection of its own. Raise OSError or HTTPException if it fails."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request(request.method, request.paths[0], request.body, request.headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def body_of(port: int, request: Request) -> bytes:
    """Send one request and return the body. Raise BenchError if it is rejected."""
    status, body = status_and_body(port, request)
    if status >= 400:
        shown = body.decode(errors="replace")
        raise BenchError(f"{request.method} {request.paths[0]}: {status} {shown}")
    return body
