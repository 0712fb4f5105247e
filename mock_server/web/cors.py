"""Let web pages of allowed origins call the server and read its responses (CORS).

A browser sends a preflight before it sends a request of a page with an API key. Preflights are
answered here, so they do not count toward a limit and are not in the journal.
"""

import re
from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.web.answer import Header
from mock_server.web.request import Headers

EVERY_ORIGIN = "*"
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_MAX_AGE_S = 600
# Scripts of a page may always read Content-Type and Content-Length.
_EXPOSED = (
    "Date", "Retry-After", "ETag", "Accept-Ranges", "Content-Range", "Allow", "WWW-Authenticate",
)  # fmt: skip
_EXPOSED_PROVENANCE = ("Mock-Rule", "Mock-Fault")
_HEADER_NAMES = rb"[A-Za-z0-9_-]+(\s*,\s*[A-Za-z0-9_-]+)*"
_USUAL_HEADERS = b"authorization, content-type"
_OTHER_SITES = {b"cross-site", b"same-site"}


class Cors:
    """Adds the headers of CORS to every response of an application, and answers preflights.

    `date` returns the `Date` header of a response to a preflight.
    """

    def __init__(
        self,
        app: ASGIApp,
        origins: Collection[str],
        *,
        has_provenance: bool,
        date: Callable[[], Header],
    ) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)
        self._allows_all = EVERY_ORIGIN in origins
        names = (*_EXPOSED, *_EXPOSED_PROVENANCE) if has_provenance else _EXPOSED
        self._exposed: Header = (b"access-control-expose-headers", ", ".join(names).encode())
        self._date = date

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked: Headers = dict(scope["headers"])
        added = self._headers(asked.get(b"origin"))
        if _is_preflight(scope, asked) and any(name != b"vary" for name, _ in added):
            await self._answer_preflight(asked, added, send)
            return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, send_readable)

    def _headers(self, origin: bytes | None) -> list[Header]:
        """Return the headers of a response to this origin.

        They do not depend on the origin if all are allowed. Otherwise `Vary` tells caches so: a
        picture that a page shows can be read by a script of the same page later.
        """
        if self._allows_all:
            return [(b"access-control-allow-origin", b"*"), self._exposed]
        vary = (b"vary", b"Origin")
        if origin is None or origin not in self._origins:
            return [vary]
        return [(b"access-control-allow-origin", origin), self._exposed, vary]

    async def _answer_preflight(self, asked: Headers, added: list[Header], send: Send) -> None:
        names = asked.get(b"access-control-request-headers", b"")
        headers = [
            self._date(),
            *added,
            (b"access-control-allow-methods", _METHODS),
            (
                b"access-control-allow-headers",
                names if re.fullmatch(_HEADER_NAMES, names) else _USUAL_HEADERS,
            ),
            (b"access-control-max-age", b"%d" % _MAX_AGE_S),
        ]
        if asked.get(b"access-control-request-private-network") == b"true":
            headers.append((b"access-control-allow-private-network", b"true"))
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def blocked_page(scope: Scope, start: Message) -> str:
    """Return why the browser does not let a web page read a response, or an empty string."""
    asked: Headers = dict(scope["headers"])
    origin = asked.get(b"origin")
    is_cross_origin = (
        _is_preflight(scope, asked) or asked.get(b"sec-fetch-site") in _OTHER_SITES
    ) and origin is not None
    if not is_cross_origin or any(
        name == b"access-control-allow-origin" for name, _ in start["headers"]
    ):
        return ""
    shown = (origin or b"").decode("latin-1")
    return f"the browser blocks the web page of {shown}; allow it with --cors {shown}"


def _is_preflight(scope: Scope, asked: Headers) -> bool:
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in asked
