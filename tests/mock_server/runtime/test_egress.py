"""The egress policy: the addresses that each mode allows, and those that no mode allows."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mock_server.runtime.egress import Address, Egress, blocking_rule

V4 = st.ip_addresses(v=4)
MODES = st.sampled_from(Egress)

NEVER = [
    "169.254.0.0/16",
    "fe80::/10",
    "169.254.169.254/32",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "fd00:ec2::254/128",
    "fd00:c1::a9fe:a9fe/128",
    "fd00:42::42/128",
    "fd20:ce::254/128",
    "224.0.0.0/4",
    "ff00::/8",
    "0.0.0.0/8",
    "::/128",
    "255.255.255.255/32",
    "240.0.0.0/4",
    "fec0::/10",
]
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
LOOPBACK = ["127.0.0.0/8", "::1/128"]


def nat64_local(prefix_octets: int) -> Callable[[int], int]:
    """Spell an IPv4 address as RFC 6052 does behind a short prefix, with a harmless suffix."""

    def spell(v4: int) -> int:
        octets = bytearray(IPv6Address("64:ff9b:1::").packed[:8] + bytes([8] * 7))
        octets[6:prefix_octets] = bytes(prefix_octets - 6)
        octets[prefix_octets : prefix_octets + 4] = v4.to_bytes(4, "big")
        return int.from_bytes(octets[:8] + bytes(1) + octets[8:], "big")

    return spell


WRAPPERS: dict[str, Callable[[int], int]] = {
    "compatible": lambda v4: v4,
    "translated": lambda v4: 0xFFFF_0000 << 32 | v4,
    "NAT64": lambda v4: 0x64_FF9B << 96 | v4,
    "local NAT64 behind 96 bits": lambda v4: 0x64_FF9B_0001 << 80 | v4,
    "local NAT64 behind 48 bits": nat64_local(6),
    "local NAT64 behind 56 bits": nat64_local(7),
    "local NAT64 behind 64 bits": nat64_local(8),
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "Teredo server": lambda v4: 0x2001_0000 << 96 | v4 << 64 | (0xFFFF_FFFF ^ 0x0808_0808),
    "Teredo client": lambda v4: 0x2001_0000 << 96 | 0x0808_0808 << 64 | (0xFFFF_FFFF ^ v4),
}


def network_id(text: str) -> str:
    return text.replace("/", " of ")


def inside(networks: list[str]) -> st.SearchStrategy[Address]:
    return st.one_of([st.ip_addresses(network=text) for text in networks])


def is_in(address: Address, networks: list[str]) -> bool:
    return any(address in ip_network(text) for text in networks)


@pytest.mark.parametrize("network", NEVER, ids=network_id)
@given(data=st.data(), egress=MODES)
def test_no_mode_allows(network: str, data: st.DataObject, egress: Egress) -> None:
    address = data.draw(st.ip_addresses(network=network))

    assert blocking_rule(address, egress)


@given(address=st.ip_addresses())
def test_each_mode_allows_all_addresses_of_the_mode_before(address: Address) -> None:
    verdicts = [blocking_rule(address, egress) is None for egress in Egress]

    assert verdicts == sorted(verdicts)


@given(address=inside(LOOPBACK), egress=MODES)
def test_every_mode_allows_loopback(address: Address, egress: Egress) -> None:
    assert blocking_rule(address, egress) is None


@given(address=inside(PRIVATE).filter(lambda address: not is_in(address, NEVER)))
def test_the_private_mode_allows_private_networks_and_the_loopback_mode_does_not(
    address: Address,
) -> None:
    assert blocking_rule(address, Egress.PRIVATE) is None
    assert blocking_rule(address, Egress.LOOPBACK) == f"{address} is not loopback"


@given(address=V4)
@example(address=IPv4Address("100.64.0.1"))
@example(address=IPv4Address("192.88.99.1"))
def test_the_private_mode_allows_only_private_and_loopback_addresses(address: IPv4Address) -> None:
    is_allowed = blocking_rule(address, Egress.PRIVATE) is None

    assert is_allowed == is_in(address, [*PRIVATE, *LOOPBACK])


@given(address=V4)
def test_the_public_mode_allows_all_but_the_never_allowed_addresses(address: IPv4Address) -> None:
    is_allowed = blocking_rule(address, Egress.PUBLIC) is None

    assert is_allowed == (not is_in(address, NEVER))


@given(address=V4, egress=MODES)
def test_a_mapped_address_is_judged_as_its_ipv4_address(
    address: IPv4Address, egress: Egress
) -> None:
    mapped = IPv6Address(0xFFFF << 32 | int(address))

    assert blocking_rule(mapped, egress) == blocking_rule(address, egress)


@pytest.mark.parametrize("spell", WRAPPERS.values(), ids=WRAPPERS.keys())
@given(address=V4 | inside(["169.254.169.254/32", "100.100.100.200/32"]), egress=MODES)
def test_an_address_with_a_forbidden_embedded_address_is_forbidden(
    spell: Callable[[int], int], address: Address, egress: Egress
) -> None:
    assume(not is_in(address, ["0.0.0.0/8"]))  # ::1 looks like 0.0.0.1, and padding like 0.0.0.0
    wrapper = IPv6Address(spell(int(address)))

    if blocking_rule(address, egress):
        assert blocking_rule(wrapper, egress)


@pytest.mark.parametrize("name", ["NAT64", "6to4", "translated", "Teredo client"])
def test_the_public_mode_allows_a_gateway_to_a_public_address(name: str) -> None:
    wrapper = IPv6Address(WRAPPERS[name](0x0808_0808))

    assert blocking_rule(wrapper, Egress.PUBLIC) is None
    assert blocking_rule(wrapper, Egress.PRIVATE) == f"{wrapper} is neither loopback nor private"


@given(address=st.ip_addresses(v=6), egress=MODES)
def test_a_scope_id_is_ignored(address: IPv6Address, egress: Egress) -> None:
    scoped = IPv6Address(f"{address}%eth0")

    assert blocking_rule(scoped, egress) == blocking_rule(address, egress)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("169.254.169.254", "169.254.169.254 is link-local"),
        ("fe80::1%eth0", "fe80::1 is link-local"),
        ("100.100.100.200", "100.100.100.200 is a cloud metadata address"),
        ("::ffff:169.254.169.254", "169.254.169.254 is link-local"),
        (
            "64:ff9b::169.254.169.254",
            "64:ff9b::a9fe:a9fe contains an IPv4 address, and 169.254.169.254 is link-local",
        ),
        ("255.255.255.255", "255.255.255.255 is broadcast"),
    ],
)
def test_the_rule_reads_as_a_sentence(text: str, rule: str) -> None:
    assert blocking_rule(ip_address(text), Egress.PUBLIC) == rule
