"""Web addresses: which are valid, and their user part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("http://999.1.1.1/", "invalid IPv4 address"),
        ("http://127.0.0.1.2/", "invalid IPv4 address"),
        ("http://a..b/", "invalid host name"),
        ("http://" + "a" * 64 + "/", "invalid host name"),
        ("http://a b/", "invalid host name"),
        ("http://%31.test/", "invalid host name"),
        ("http://\u2100/", "under NFKC"),
        ("http://xn--\xe9/", "IDNA"),
    ],
)
def test_an_invalid_web_address_is_rejected_with_a_short_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as rejection:
        parse_web_url(text)

    assert len(str(rejection.value)) <= 200


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("HTTP://Example.TEST", "http://example.test", "/"),
        ("http://example.test:80/a?b=c#d", "http://example.test", "/a?b=c"),
        ("https://example.test:443/", "https://example.test", "/"),
        ("http://example.test:443/", "http://example.test:443", "/"),
        ("http://u:p@[::1]:8080/", "http://[::1]:8080", "/"),
        ("http://[fe80::1%25lo]/", "http://[fe80::1]", "/"),
        ("http://b\xfccher.test/", "http://xn--bcher-kva.test", "/"),
        ("http://0177.0.0.1/", "http://127.0.0.1", "/"),
        ("http://2130706433:81/", "http://127.0.0.1:81", "/"),
        ("http://\uff11\uff12\uff17\u3002\uff11/", "http://127.0.0.1", "/"),
        (
            "http://a.test/caf\xe9 1%20/?q=\xe9 %41",
            "http://a.test",
            "/caf%C3%A9%201%20/?q=%C3%A9%20%41",
        ),
    ],
)
def test_an_address_is_requested_in_its_encoded_form(text: str, origin: str, target: str) -> None:
    url = parse_web_url(text)

    assert (url.origin, url.target) == (origin, target)


@given(text=st.text() | st.from_regex(r"https?://.{0,20}(:\d{0,6})?/.{0,10}", fullmatch=True))
def test_no_address_changes_the_form_of_a_request(text: str) -> None:
    try:
        url = parse_web_url(text)
    except ValueError:
        return
    head = f"{url.target} {url.netloc} {basic_auth(url)}"

    assert head.isascii()
    assert head.isprintable()
    assert " " not in url.target + url.netloc


def test_the_user_part_of_an_address_becomes_basic_credentials() -> None:
    assert basic_auth(parse_web_url("http://example.test/")) is None
    assert basic_auth(parse_web_url("http://user:p%40ss@example.test/")) == "Basic dXNlcjpwQHNz"
