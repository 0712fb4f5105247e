"""A data URL is decoded to its content, or rejected with the reason."""

import base64
from contextlib import suppress
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.data_url import DataTooLarge, decode, is_data_url


@given(content=st.binary(max_size=200))
def test_base64_gives_the_content_back(content: bytes) -> None:
    text = base64.b64encode(content).decode()

    assert decode(f"data:image/png;base64,{text}", len(content)) == content
    assert decode(f"DATA:;BASE64,{text.rstrip('=')}", len(content)) == content
    assert decode(f"data:;base64,{quote_from_bytes(text.encode(), safe='')}", 200) == content


@given(content=st.binary(max_size=200))
def test_percent_encoding_gives_the_content_back(content: bytes) -> None:
    text = quote_from_bytes(content)

    assert decode(f"data:image/png,{text}", len(content)) == content


@given(content=st.binary(min_size=1, max_size=200), is_base64=st.booleans())
def test_one_byte_too_many_is_too_large(content: bytes, *, is_base64: bool) -> None:
    text = base64.b64encode(content).decode() if is_base64 else quote_from_bytes(content)
    url = f"data:{';base64' if is_base64 else ''},{text}"

    with pytest.raises(DataTooLarge, match="contains more than"):
        decode(url, len(content) - 1)


@pytest.mark.parametrize("blank", ["\n", "\r\n", " ", "%0A", "%20"])
def test_white_space_in_base64_is_ignored(blank: str) -> None:
    lines = base64.encodebytes(bytes(300)).decode().replace("\n", blank)

    assert decode(f"data:;base64,{lines}", 300) == bytes(300)


def test_content_that_is_clearly_too_large_is_not_decoded() -> None:
    with pytest.raises(DataTooLarge):
        decode("data:;base64," + "!" * 1000, 100)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.test/", 'must start with "data:"'),
        ("data:image/png;base64", "must have a comma"),
        ("data:;base64,!!!!", "not valid base64"),
        ("data:;base64,A", "not valid base64"),
        ("data:;base64,QQ==QQ==", "not valid base64"),
        ("data:;base64,é", "not valid base64"),
        ("data:,\ud800", "unpaired surrogate"),
    ],
)
def test_a_malformed_data_url_is_rejected_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as rejection:
        decode(url, 100)

    assert not isinstance(rejection.value, DataTooLarge)


@given(url=st.text() | st.text().map("data:".__add__) | st.text().map("data:;base64,".__add__))
def test_any_text_gives_bytes_or_a_value_error(url: str) -> None:
    with suppress(ValueError):
        assert len(decode(url, 50)) <= 50
        assert is_data_url(url)
