"""Decide whether a host is public by its text alone; nothing is resolved."""

from ipaddress import ip_address

from mock_server.domain.errors import quoted

_PRIVATE_SUFFIXES = (
    ".localhost", ".local", ".internal", ".invalid", ".test", ".example", ".lan", ".home.arpa",
)  # fmt: skip


def why_not_public(host: str) -> str | None:
    """Return why a host cannot be reached from the Internet, or None if it looks public."""
    name = host.rstrip(".").casefold()
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        if "." not in name or f".{name}".endswith(_PRIVATE_SUFFIXES):
            return f"{quoted(host)} is a private name"
        if name.rpartition(".")[2][:1].isdigit():
            return f"{quoted(host)} is not a host name"
        return None
    return None if address.is_global and not address.is_multicast else f"{host} is not public"


def is_loopback(host: str) -> bool:
    """Return whether a host can be reached from this machine only."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
