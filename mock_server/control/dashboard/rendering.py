"""The HTML, scripts, styles and pictures of the dashboard, with the headers that protect them."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it, browsers send `Origin: null` with the forms of the page itself.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def html(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page made from a template."""
    text = _templates().get_template(template).render(**values)
    return Response(text, status, media_type="text/html; charset=utf-8", headers=HEADERS)


def static_file(name: str) -> Response | None:
    """Return a script, a style or a picture; None if it does not exist."""
    found = _static().get(name)
    if found is None:
        return None
    content, kind = found
    return Response(content, media_type=kind, headers=HEADERS)


def accepts_html(request: Request) -> bool:
    """Return whether the request is a navigation of a browser, which shows pages and not JSON."""
    return "text/html" in request.headers.get("accept", "")


def base_url(request: Request) -> str:
    """Return the URL of this server as the browser knows it."""
    return f"{request.url.scheme}://{request.url.netloc}"


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415  # slow to import

    return Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True
    )


@cache
def _static() -> dict[str, tuple[bytes, str]]:
    return {
        path.name: (path.read_bytes(), _KINDS[path.suffix])
        for path in (_HERE / "static").iterdir()
        if path.suffix in _KINDS
    }
