"""Parse http and https URLs that clients of the mock wrote."""

import base64
import re
import socket
import unicodedata
from typing import Final

import httpx

from mock_server.runtime.transport_errors import shorten

_SCHEMES: Final = frozenset({"http", "https"})
_NUMERIC_HOST: Final = re.compile(
    r"(\s*https?://(?:[^/?#@]*@)?)([\w.。]+)\.?(?=[:/?#]|$)", re.IGNORECASE
)


def parse_web_url(text: str) -> httpx.URL:
    """Return an absolute http or https URL.

    Raise ValueError with a short reason for any other text.
    """
    try:
        url = httpx.URL(_with_dotted_host(text))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(shorten(f"invalid URL: {error}")) from error
    if url.scheme not in _SCHEMES:
        raise ValueError("not an http or https URL")
    if not url.raw_host:
        raise ValueError("invalid URL: the host is missing")
    if url.port is not None and not 0 < url.port <= 65535:
        raise ValueError(f"invalid URL: the port must be 1 to 65535 (got {url.port})")
    return url


def origin(url: httpx.URL) -> str:
    """Return scheme, host and port, as they tell receivers apart."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def basic_auth_header(url: httpx.URL) -> dict[str, str]:
    """Return the Authorization header for `user:password@` in a URL; empty without it."""
    if not url.userinfo:
        return {}
    pair = f"{url.username}:{url.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _with_dotted_host(text: str) -> str:
    """Return the URL with a numeric IPv4 host in dotted decimal form.

    The operating system reads octal 0177.0.0.1 as 127.0.0.1, but httpx reads only some of these
    forms.
    """
    found = _NUMERIC_HOST.match(text)
    if found is None:
        return text
    try:
        dotted = socket.inet_ntoa(
            socket.inet_aton(unicodedata.normalize("NFKC", found[2]).rstrip("."))
        )
    except OSError:
        return text
    return f"{found[1]}{dotted}{text[found.end() :]}"
