"""Addresses of Redis: one server, servers behind Sentinel, or a cluster."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from mock_server.domain.errors import InvalidValue, quoted

Kind = Literal["server", "socket", "sentinel", "cluster"]

_KINDS: Mapping[str, tuple[Kind, bool]] = {
    "redis": ("server", False),
    "rediss": ("server", True),
    "redis+unix": ("socket", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_PORT = 6379
_SENTINEL_PORT = 26379
_HIGHEST_PORT = 65_535
_FILES = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "key": "ssl_keyfile"}
_OPTIONS = (*_FILES, "sentinel_username", "sentinel_password")
_WHERE = "--store"


class RedisAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where Redis is, and how to authenticate. `tls_files` are options of redis-py."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...] = ()
    socket_path: str = ""
    service: str = ""  # The name of the master that the Sentinels know.
    db: int = 0
    username: str | None = None
    password: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    has_tls: bool = False
    tls_files: Mapping[str, str] = {}

    def __str__(self) -> str:
        """Return the hosts without user and password."""
        hosts = ", ".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        match self.kind:
            case "socket":
                return self.socket_path
            case "sentinel":
                return f"{self.service} (Sentinel {hosts})"
            case _:
                return hosts

    __repr__ = __str__  # A traceback must not show the password.


def parse_address(text: str) -> RedisAddress:
    """Return the parts of an address such as `redis://user:password@host:6379/0`.

    Raises InvalidValue; its text does not contain the password.
    """
    scheme, has_separator, _ = text.partition("://")
    if not has_separator or scheme not in _KINDS:
        raise InvalidValue(_WHERE, f"must begin with {', '.join(f'{each}://' for each in _KINDS)}")
    kind, has_tls = _KINDS[scheme]
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise InvalidValue(_WHERE, "is not a valid address") from error
    if url.fragment:
        raise InvalidValue(_WHERE, "has a part after #; write # in a password as %23")
    userinfo, _, hosts = url.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    options = _options(url)
    if not has_tls and options.keys() & _FILES:
        raise InvalidValue(_WHERE, f"ca, cert and key need rediss:// (got {scheme}://)")
    common = RedisAddress(
        kind=kind,
        username=unquote(username) or None,
        password=unquote(password) or None,
        has_tls=has_tls,
        tls_files={_FILES[name]: path for name, path in options.items() if name in _FILES},
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
    )
    return msgspec.structs.replace(common, **_place(kind, hosts, url))


def _options(url: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    for name in options:
        if name not in (*_OPTIONS, "db"):
            known = ", ".join((*_OPTIONS, "db"))
            raise InvalidValue(
                _WHERE, f"unknown option {quoted(name)} in the address; known: {known}"
            )
    return options


def _place(kind: Kind, hosts: str, url: SplitResult) -> dict[str, object]:
    """Return the members that depend on the kind: hosts, path, master and database."""
    path = unquote(url.path)
    if kind == "socket":
        if hosts or not path:
            raise InvalidValue(_WHERE, "write a socket as redis+unix:///path/of/redis.sock")
        return {"socket_path": path, "db": _db(_options(url).get("db", ""))}
    default_port = _SENTINEL_PORT if kind == "sentinel" else _PORT
    found = tuple(_host(each, default_port) for each in hosts.split(",")) if hosts else ()
    parts = path.strip("/").split("/") if path.strip("/") else []
    if kind == "server":
        found = found or (("localhost", _PORT),)
        if len(found) > 1 or len(parts) > 1:
            raise InvalidValue(_WHERE, "must name one server: redis://HOST:PORT/DB")
        return {"hosts": found, "db": _db(parts[0] if parts else "")}
    if not found:
        raise InvalidValue(_WHERE, "must name a host")
    if kind == "cluster":
        if parts:
            raise InvalidValue(_WHERE, "a cluster has no database numbers; remove the path")
        return {"hosts": found}
    if not parts or len(parts) > 2:
        raise InvalidValue(_WHERE, "write redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB")
    return {"hosts": found, "service": parts[0], "db": _db(parts[1] if parts[1:] else "")}


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        url = urlsplit(f"//{text}")
        port = default_port if url.port is None else url.port
    except ValueError:
        port = 0
    else:
        if url.hostname and 0 < port <= _HIGHEST_PORT:
            return url.hostname, port
    raise InvalidValue(_WHERE, "each host in the address must be HOST or HOST:PORT")


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise InvalidValue(_WHERE, "the database in the address must be a number")
    return int(text)
