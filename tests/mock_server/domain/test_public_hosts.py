"""SUB-5: which hosts can be public, by how they are written alone."""

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.addresses import why_not_public

NOT_PUBLIC = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4", "255.255.255.255/32",
    "::/128", "::1/128", "::ffff:10.0.0.0/104", "::ffff:127.0.0.0/104", "fc00::/7", "fe80::/10",
    "ff00::/8", "2001:db8::/32",
]  # fmt: skip
PUBLIC = ["1.1.1.0/24", "8.8.0.0/16", "151.101.0.0/16", "2606:4700::/32", "2a00:1450::/32"]

labels = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


def addresses_in(networks: list[str]) -> st.SearchStrategy[str]:
    """Draw an address of any of the networks, as it is written in one of its ways."""

    def within(written: str) -> st.SearchStrategy[str]:
        network = ip_network(written)
        numbers = st.integers(0, network.num_addresses - 1)
        return numbers.map(lambda number: network[number]).flatmap(
            lambda address: st.sampled_from(
                [str(address), address.exploded.upper()]
                if isinstance(address, IPv6Address)
                else [str(address), f"{address}."]
            )
        )

    return st.sampled_from(networks).flatmap(within)


@given(addresses_in(NOT_PUBLIC))
def test_an_address_of_a_reserved_network_is_not_public(host: str) -> None:
    assert why_not_public(host)


@given(addresses_in(PUBLIC))
def test_an_address_of_the_open_internet_is_public(host: str) -> None:
    assert why_not_public(host) is None


@given(
    st.lists(labels, min_size=1, max_size=3), st.sampled_from(["com", "org", "museum", "xn--p1ai"])
)
def test_a_name_under_a_public_domain_is_public(names: list[str], domain: str) -> None:
    host = ".".join([*names, domain])

    assert why_not_public(host) is why_not_public(f"{host.upper()}.") is None


@given(
    st.lists(labels, min_size=1, max_size=3),
    st.sampled_from(
        ["localhost", "local", "internal", "invalid", "test", "example", "lan", "home.arpa"]
    ),
)
def test_a_name_under_a_private_domain_is_not(names: list[str], domain: str) -> None:
    host = ".".join([*names, domain])

    assert why_not_public(host)
    assert why_not_public(f"{host.upper()}.")


@given(labels)
def test_a_name_of_one_label_is_not_public(label: str) -> None:
    assert why_not_public(label)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0177.0.0.1",
        "0x7f.0.0.1", "127.0.0.0x1", "127.0.0.01", "127.0.0.\uff11", "fe80::1%eth0", "::1%lo", "",
    ],
    ids=lambda host: host or "nothing",
)  # fmt: skip
def test_no_other_spelling_makes_an_address_public(host: str) -> None:
    assert why_not_public(host)
