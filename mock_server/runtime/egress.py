"""Decide which addresses the server may connect to, by the address alone.

Clients of the mock choose callback and image addresses, so every address is checked before each
connection. Some addresses are forbidden in every mode: no receiver uses them, and on a cloud
machine they provide credentials.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
_Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]


class Egress(StrEnum):
    """The networks that the server may connect to; each mode includes the one before it."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"


def blocking_rule(address: Address, egress: Egress) -> str | None:
    """Return the rule that forbids this address as a sentence, or None if it is allowed.

    An IPv6 address with an embedded IPv4 address is allowed only if both are. An IPv4-mapped
    address counts as its IPv4 address. A scope id (`%eth0`) is ignored.
    """
    bare = without_scope(address)
    if isinstance(bare, IPv4Address):
        return _rule_for_address(bare, egress)
    if bare.ipv4_mapped is not None:
        return _rule_for_address(bare.ipv4_mapped, egress)
    return _rule_for_address(bare, egress) or _rule_for_embedded(bare, egress)


def without_scope(address: Address) -> Address:
    """Return the address without its scope id."""
    return IPv6Address(int(address)) if isinstance(address, IPv6Address) else address


def _rule_for_address(address: Address, egress: Egress) -> str | None:
    for name, networks in _NEVER.items():
        if _is_in(address, networks):
            return f"{address} is {name}"
    if egress is Egress.PUBLIC or _is_in(address, _LOOPBACK):
        return None
    if egress is Egress.LOOPBACK:
        return f"{address} is not loopback"
    return None if _is_in(address, _PRIVATE) else f"{address} is neither loopback nor private"


def _rule_for_embedded(address: IPv6Address, egress: Egress) -> str | None:
    for embedded in _embedded_ipv4(address):
        rule = _rule_for_address(embedded, egress)
        if rule is not None:
            return f"{address} contains an IPv4 address, and {rule}"
    return None


def _is_in(address: Address, networks: _Networks) -> bool:
    return any(address in network for network in networks)


def _embedded_ipv4(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that a gateway may extract from an address that is not mapped."""
    last = IPv4Address(address.packed[12:])
    if _is_in(address, _EMBEDS_IN_LAST_32_BITS) and not _is_in(address, _LOOPBACK):
        yield last
    if address in _NAT64_LOCAL:
        yield from _embedded_by_local_nat64(address)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _embedded_by_local_nat64(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the addresses behind prefixes of 48, 56 and 64 bits (RFC 6052, section 2.2).

    The format skips octet 8. Behind a longer prefix these octets are padding. Padding reads as an
    address in 0.0.0.0/8, to which no gateway delivers.
    """
    octets = address.packed[:8] + address.packed[9:]
    for start in (6, 7, 8):
        if octets[start] != 0:
            yield IPv4Address(octets[start : start + 4])


def _networks(*texts: str) -> _Networks:
    return tuple(ip_network(text) for text in texts)


_LOOPBACK: Final = _networks("127.0.0.0/8", "::1/128")
_PRIVATE: Final = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")

_NEVER: Final[Mapping[str, _Networks]] = {
    "link-local": _networks("169.254.0.0/16", "fe80::/10"),
    "a cloud metadata address": _networks(
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle Cloud
        "fd00:c1::a9fe:a9fe/128",  # Oracle Cloud
        "fd00:ec2::/32",  # Amazon: metadata, pod identity and other services of the host
        "fd00:42::42/128",  # Scaleway
        "fd20:ce::254/128",  # Google Cloud
    ),
    "multicast": _networks("224.0.0.0/4", "ff00::/8"),
    "unspecified": _networks("0.0.0.0/8", "::/128"),
    "broadcast": _networks("255.255.255.255/32"),
    "reserved": _networks("240.0.0.0/4"),
    "site-local (deprecated)": _networks("fec0::/10"),
}

_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_EMBEDS_IN_LAST_32_BITS: Final = (
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 7915
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
    _NAT64_LOCAL,
)
