"""An API key is removed from text, headers and JSON, however it is written."""

import json

import msgspec
import pytest

from mock_server.web.redaction import Redactor

KEY = 'sk-"ä/+ key'
PLAIN = "sk-plain-key"


def test_key_is_removed_from_text_and_bytes() -> None:
    assert Redactor(PLAIN).text(f"a {PLAIN} b") == "a [redacted] b"
    assert Redactor(PLAIN).raw(f"a {PLAIN} b".encode()) == b"a [redacted] b"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(json.dumps(KEY), id="json-in-ascii"),
        pytest.param(json.dumps(KEY, ensure_ascii=False), id="json-in-utf-8"),
        pytest.param(
            json.dumps(json.dumps(KEY, ensure_ascii=False), ensure_ascii=False), id="json-in-json"
        ),
        pytest.param('"sk-%22%C3%A4%2F%2B%20key"', id="percent-encoded"),
        pytest.param('"sk-%22%C3%A4%2F%2B+key"', id="form-encoded"),
        pytest.param('"sk-%22%c3%a4/%2b%20key"', id="partly-encoded-in-lower-case"),
    ],
)
def test_key_is_removed_from_json_which_stays_valid(written: str) -> None:
    shown = Redactor(KEY).json(f'{{"a": {written}}}'.encode()).decode()

    assert "[redacted]" in json.loads(shown)["a"]
    assert "key" not in shown


def test_headers_with_secrets_are_removed_whatever_the_key() -> None:
    headers = [
        (b"Authorization", b"Bearer of-somebody"),
        (b"cookie", b"session=1"),
        (b"X-Api-Key", b"other"),
        (b"x-note", f"see {PLAIN}".encode()),
    ]

    assert Redactor(PLAIN).headers(headers) == [
        ("Authorization", "Bearer [redacted]"),
        ("cookie", "[redacted]"),
        ("X-Api-Key", "[redacted]"),
        ("x-note", "see [redacted]"),
    ]


def test_key_of_a_request_is_found_in_its_headers() -> None:
    redactor = Redactor.of_request(
        [(b"accept", b"*/*"), (b"authorization", b"bearer sk-plain-key")]
    )

    assert redactor.text(PLAIN) == "[redacted]"


def test_short_key_is_removed_from_headers_only() -> None:
    redactor = Redactor.of_request([(b"authorization", b"Bearer red")])

    assert redactor.text("a red fox") == "a red fox"
    assert Redactor("red").json(b'"a red fox"') == b'"a red fox"'


@pytest.mark.parametrize("key", ["sk-YWJjZGVm=", "=sk-YWJjZGVm", "%25sk-YWJjZGVm"])
def test_quotation_marks_around_a_part_of_the_key_remain(key: str) -> None:
    """Found by fuzzing: they were taken for the first or last character of the key."""
    part = key.strip("=%25")
    shown = msgspec.json.encode({part: part, "key": key})

    assert json.loads(Redactor(key).json(shown)) == {part: part, "key": "[redacted]"}
