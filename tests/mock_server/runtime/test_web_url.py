"""Web addresses: which are valid, and their user part."""

import pytest

from mock_server.runtime.web_url import basic_auth, parse_web_url


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not an http or https"),
        ("ws://example.test", "not an http or https"),
        ("http:///path", "the host is missing"),
        ("http://example.test:0", "must be 1 to 65535 .got 0"),
        ("http://example.test:65536", "must be 1 to 65535 .got 65536"),
        ("http://example.test:" + "9" * 5000, "must be 1 to 65535 .got 9999"),
        ("http://bad\x00host", "non-printable"),
        ("http://[::1", "Invalid"),
        ("http://\ud800/", "IDNA"),
        ("http://example.test/\ud800", "surrogates"),
    ],
)
def test_an_invalid_web_address_is_rejected_with_a_short_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as rejection:
        parse_web_url(text)

    assert len(str(rejection.value)) <= 200


def test_the_user_part_of_an_address_becomes_basic_credentials() -> None:
    assert basic_auth(parse_web_url("http://example.test/")) is None
    assert basic_auth(parse_web_url("http://user:p%40ss@example.test/")) == "Basic dXNlcjpwQHNz"
