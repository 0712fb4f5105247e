"""URLs of this server, as a client can reach it."""

import re

from mock_server.domain.sandbox_settings import ResultHost
from mock_server.web.request import Headers, LocalAddress, ProviderRequest

_HOST = r"[A-Za-z0-9.\-_]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?"
_MAX_KEPT = 1000
_MAX_HOST_LENGTH = 253 + len(":65535")  # A name (RFC 1035) and a port.
_ORIGIN = r"(?P<scheme>https?://)(?P<name>\[[^]]+\]|[^:/]+)"
# A client must treat another name as another host, even if it is the same machine.
_OTHER_NAMES = {"127.0.0.1": "localhost", "[::1]": "localhost", "localhost": "127.0.0.1"}


class BaseUrls:
    """Returns `--public-url`, or else a URL with the `Host` header of the request.

    URLs are cached so that all tasks share the same strings in memory.
    """

    def __init__(self, public_url: str | None) -> None:
        self._public_url = public_url
        self._made: dict[tuple[str, bytes, ResultHost], str] = {}

    def of(self, address: LocalAddress, headers: Headers, result_host: ResultHost = "same") -> str:
        """Return the base URL for the results of a submit to this address with these headers."""
        if self._public_url is not None:
            return self._public_url
        host = headers.get(b"host", b"")
        if len(host) > _MAX_HOST_LENGTH:
            host = b""
        named = (address.scheme, host, result_host)
        made = self._made.get(named)
        if made is None:
            if len(self._made) >= _MAX_KEPT:
                self._made.clear()
            made = _made(address, named[1].decode("latin-1"))
            if result_host == "other":
                made = on_another_host(made)
            self._made[named] = made
        return made


def on_another_host(url: str) -> str:
    """Return a URL of the same server under another name of its host, if it has one."""
    found = re.match(_ORIGIN, url)
    name = _OTHER_NAMES.get(found["name"].lower()) if found else None
    return f"{found['scheme']}{name}{url[found.end() :]}" if found and name else url


def request_url(request: ProviderRequest) -> str:
    """Return the URL that a client has requested, with its query."""
    path, query = request.target.raw_path.decode("latin-1"), request.query.decode("latin-1")
    base = _made(request.address, request.headers.get(b"host", b"").decode("latin-1"))
    return f"{base}{path}?{query}" if query else f"{base}{path}"


def _made(address: LocalAddress, host: str) -> str:
    if len(host) > _MAX_HOST_LENGTH or not re.fullmatch(_HOST, host):
        name, port = address.name_and_port
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return f"{address.scheme}://{host}"
