"""Write the head of a request that the server sends."""

from collections.abc import Mapping
from typing import Final

from mock_server.runtime.web_url import WebUrl, basic_auth
from mock_server.version import __version__

_USER_AGENT: Final = f"apixo-testkit-mock/{__version__}"


def request_head(method: str, url: WebUrl, headers: Mapping[str, str]) -> bytes:
    """Return the request line and the headers. The name and password of a URL are credentials."""
    credentials = basic_auth(url)
    lines = [
        f"{method} {url.target} HTTP/1.1",
        f"Host: {url.netloc}",
        f"User-Agent: {_USER_AGENT}",
        *(f"{name}: {value}" for name, value in headers.items()),
        *([f"Authorization: {credentials}"] if credentials else []),
        "\r\n",
    ]
    return "\r\n".join(lines).encode("ascii")
