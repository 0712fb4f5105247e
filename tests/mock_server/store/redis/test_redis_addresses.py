"""Addresses of Redis: what is accepted, what an error says, and that no password is shown."""

import pytest

from mock_server.domain.errors import InvalidValue
from mock_server.store.redis.address import RedisAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param(
            "redis://localhost:6380/2",
            RedisAddress(kind="server", hosts=(("localhost", 6380),), db=2),
            id="server",
        ),
        pytest.param(
            "redis://", RedisAddress(kind="server", hosts=(("localhost", 6379),)), id="defaults"
        ),
        pytest.param(
            "redis://[::1]:7000", RedisAddress(kind="server", hosts=(("::1", 7000),)), id="IPv6"
        ),
        pytest.param(
            "rediss://me:p%40ss@host?ca=/ca.pem&cert=/c.pem&key=/k.pem",
            RedisAddress(
                kind="server",
                hosts=(("host", 6379),),
                username="me",
                password="p@ss",
                has_tls=True,
                tls_files={
                    "ssl_ca_certs": "/ca.pem",
                    "ssl_certfile": "/c.pem",
                    "ssl_keyfile": "/k.pem",
                },
            ),
            id="TLS and user",
        ),
        pytest.param(
            "redis+unix:///run/redis.sock?db=3",
            RedisAddress(kind="socket", socket_path="/run/redis.sock", db=3),
            id="socket",
        ),
        pytest.param(
            "redis+sentinel://:word@a,b:26380/main/1?sentinel_password=other",
            RedisAddress(
                kind="sentinel",
                hosts=(("a", 26379), ("b", 26380)),
                service="main",
                db=1,
                password="word",
                sentinel_password="other",
            ),
            id="Sentinel",
        ),
        pytest.param(
            "redis+cluster://a:7000,b:7001",
            RedisAddress(kind="cluster", hosts=(("a", 7000), ("b", 7001))),
            id="cluster",
        ),
    ],
)
def test_address_is_read(text: str, address: RedisAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("localhost:6379", "must begin with redis://", id="no scheme"),
        pytest.param("http://secret@host", "must begin with redis://", id="other scheme"),
        pytest.param("redis://:secret@a:x/0", "HOST:PORT", id="port"),
        pytest.param("redis://:secret@a:70000", "HOST:PORT", id="port too large"),
        pytest.param("redis://:secret@a,b", "one server", id="two hosts"),
        pytest.param("redis://:secret@a/b", "must be a number", id="database"),
        pytest.param("redis://:sec#ret@a", "%23", id="unquoted password"),
        pytest.param("redis://:secret@a?ca=/x", "rediss://", id="files without TLS"),
        pytest.param("redis://:secret@a?tls=1", 'unknown option "tls"', id="option"),
        pytest.param("redis+sentinel://:secret@a", "/NAME/DB", id="no master"),
        pytest.param("redis+cluster://:secret@a/1", "no database", id="database of a cluster"),
        pytest.param("redis+cluster://", "must name a host", id="no host"),
        pytest.param("redis+unix://relative", "redis+unix:///", id="relative socket"),
    ],
)
def test_invalid_address_is_explained_without_its_password(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        parse_address(text)

    assert raised.value.path == "--store"
    assert problem in raised.value.problem
    assert "sec" not in str(raised.value)


def test_address_is_shown_without_its_password() -> None:
    for text in (
        "redis://me:secret@host",
        "redis+sentinel://:secret@host/main?sentinel_password=secret",
    ):
        address = parse_address(text)
        assert "secret" not in f"{address} {address!r}"
        assert "host" in str(address)
