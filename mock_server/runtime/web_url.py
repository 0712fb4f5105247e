"""Parse http and https URLs that clients of the mock wrote."""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

from mock_server.runtime.host_lookup import numeric_address
from mock_server.runtime.transport_errors import shorten

_MAX_LENGTH: Final = 65_536
_MAX_CACHED: Final = 256
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HOST_NAME: Final = re.compile(r"(?=.{1,253}\.?$)([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_ENDS_IN_NUMBER: Final = re.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|\d+)\.?")
# What RFC 3986 allows in a path or query, and "%" of what is encoded already.
_PATH_SAFE: Final = "/!$&'()*+,;=:@[]|\\^%"
_QUERY_SAFE: Final = _PATH_SAFE + "?`{}"


@dataclass(frozen=True, slots=True)
class WebUrl:
    """An absolute http or https URL, ready to be requested."""

    is_tls: bool
    host: str  # In ASCII, without the brackets of IPv6.
    port: int
    netloc: str  # Host and port as in the header Host.
    target: str  # Path and query, encoded.
    userinfo: str  # As written: `user:password`, or empty.

    @property
    def origin(self) -> str:
        """Scheme, host and port, which identify a receiver."""
        return f"{'https' if self.is_tls else 'http'}://{self.netloc}"

    def __str__(self) -> str:
        return self.origin + self.target


def parse_web_url(text: str) -> WebUrl:
    """Return an absolute http or https URL.

    Raise ValueError with a short reason for any other text.
    """
    # Clients of the mock send many callbacks to few addresses.
    return _parse_cached(text) if len(text) <= 1024 else _parse(text)


def _parse(text: str) -> WebUrl:
    if len(text) > _MAX_LENGTH:
        raise ValueError(f"invalid URL: it has more than {_MAX_LENGTH:,} characters")
    if _SCHEME.match(text) is None:
        raise ValueError("not an http or https URL")
    if (control := _CONTROL.search(text)) is not None:
        raise ValueError(
            f"invalid URL: non-printable character {control[0]!r} at position {control.start()}"
        )
    try:
        parts = urlsplit(text)
        target = _target(parts)
    except ValueError as error:
        raise ValueError(shorten(f"invalid URL: {error}")) from error
    host = _host(parts)
    port = _port(parts)
    shown = f"[{host}]" if ":" in host else host
    return WebUrl(
        is_tls=parts.scheme == "https",
        host=host,
        port=port,
        netloc=shown if port == _DEFAULT_PORTS[parts.scheme] else f"{shown}:{port}",
        target=target,
        userinfo=parts.netloc.rpartition("@")[0],
    )


_parse_cached = lru_cache(_MAX_CACHED)(_parse)


def basic_auth(url: WebUrl) -> str | None:
    """Return the header Authorization for `user:password@` in a URL, or None without it."""
    if not url.userinfo:
        return None
    user, _, password = url.userinfo.partition(":")
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return f"Basic {base64.b64encode(pair).decode()}"


def _target(parts: SplitResult) -> str:
    path = quote(parts.path, safe=_PATH_SAFE) or "/"
    return f"{path}?{quote(parts.query, safe=_QUERY_SAFE)}" if parts.query else path


def _port(parts: SplitResult) -> int:
    text = _host_and_port(parts)[1]
    if not text:
        return _DEFAULT_PORTS[parts.scheme]
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 0 < int(text) <= 65535):
        raise ValueError(f"invalid URL: the port must be 1 to 65535 (got {shorten(text, 20)})")
    return int(text)


def _host(parts: SplitResult) -> str:
    """Return the host in ASCII; an IPv4 address in dotted decimal form.

    Octal parts are valid, as in the operating system: 0177.0.0.1 is 127.0.0.1.
    """
    written = _host_and_port(parts)[0]
    if not written:
        raise ValueError("invalid URL: the host is missing")
    if written.startswith("["):
        return _ipv6(written)
    host = _ascii(written).lower()
    if _HOST_NAME.fullmatch(host) is None:
        raise ValueError(f"invalid URL: invalid host name {shorten(written, 80)!r}")
    if _ENDS_IN_NUMBER.fullmatch(host) is None:
        return host
    address = numeric_address(host)
    if address is None:
        raise ValueError(f"invalid URL: invalid IPv4 address {shorten(written, 80)!r}")
    return str(address)


def _ipv6(written: str) -> str:
    try:
        address = IPv6Address(written[1:-1])
    except AddressValueError as error:
        raise ValueError(f"invalid URL: invalid IPv6 address {shorten(written, 80)!r}") from error
    return str(IPv6Address(int(address)))  # without the scope id


def _ascii(written: str) -> str:
    if written.isascii():
        return written
    import idna  # noqa: PLC0415  # its tables are slow to import, and few names need them

    try:
        return idna.encode(written, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise ValueError(
            f"invalid URL: invalid IDNA host name: {shorten(str(error), 80)}"
        ) from error


def _host_and_port(parts: SplitResult) -> tuple[str, str]:
    netloc = parts.netloc.rpartition("@")[2]
    if netloc.startswith("["):
        host, bracket, port = netloc.rpartition("]")
        return host + bracket, port.removeprefix(":")
    host, _, port = netloc.partition(":")
    return host, port
