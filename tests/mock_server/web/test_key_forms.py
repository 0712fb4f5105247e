"""Every form of a key is removed, in a time that is linear in the length of the text."""

import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.domain.api_key import MAX_KEY_LENGTH
from mock_server.web.redaction import Redactor
from tests.growth import growth
from tests.mock_server.written_keys import assert_hidden, keys, written
from tests.properties import examples
from tests.secrecy.key_search import percent

LENGTH = 256 * 1024

texts = st.lists(
    st.sampled_from(
        ["a fox", "%", "%4", "%41", "\\", "\\u00", '"', "é", "=", "\n", "+", "\x01\x02"]
    ),
    max_size=4,
).map("".join)


@examples(300)
@given(st.data(), keys, texts, texts, st.integers(1, 3), st.sampled_from(["ascii", "utf-8"]))
def test_json_contains_no_form_of_the_key_and_stays_valid(
    data: st.DataObject, key: str, before: str, after: str, depth: int, charset: str
) -> None:
    form = data.draw(written(key))
    document: object = before + form + after
    for _ in range(depth):
        document = json.dumps([document], ensure_ascii=charset == "ascii")
    assert isinstance(document, str)

    shown = Redactor(key).json(document.encode()).decode()

    [shown] = json.loads(shown)
    for _ in range(depth - 1):
        with suppress(ValueError):  # A key that ends with a backslash may end an inner escape.
            [shown] = json.loads(shown)
    assert isinstance(shown, str)
    assert_hidden(key, shown)
    assert "[redacted]" in shown


@examples(300)
@given(st.data(), keys, texts, texts)
def test_text_contains_no_form_of_the_key(
    data: st.DataObject, key: str, before: str, after: str
) -> None:
    text = before + data.draw(written(key)) + after

    shown = Redactor(key).everywhere(text.encode()).decode()

    assert_hidden(key, shown)
    assert "[redacted]" in shown


@given(keys, texts)
def test_text_without_the_key_stays_as_it_is(key: str, text: str) -> None:
    assert Redactor(key).everywhere(text.encode()) == text.encode()
    shown = json.dumps([text, f"{text}{key[:6]}{text}"]).encode()
    assert Redactor(key).json(shown) == shown


@given(
    keys.map(lambda key: key.replace("\\", "/")),
    st.lists(st.sampled_from(["", "a fox", "é", "=", "\n", '"', "100 %!", "\x01"]), min_size=2),
)
def test_only_the_key_is_removed(key: str, pieces: list[str]) -> None:
    text = percent(key).join(pieces)

    shown = Redactor(key).everywhere(text.encode()).decode()

    assert shown == "[redacted]".join(pieces)


@given(st.text(min_size=8, max_size=20), st.binary(max_size=50))
@example("\\" * 8, b'"\\\\\\\\\\\\\\\\\\""')
@example('abcdefgh"', b'["abcdefgh"]')
@example("abcdefgh\\", b'["abcdefgh\\\\", "abcdefgh"]')
@example("e9abcdefgh", b'["\\u00e9abcdefgh"]')
@example("u0041bcdefgh", b'["\\\\u0041bcdefgh"]')
@example("sk-YWJjZGVm=", b'{"a":"sk-YWJjZGVm","b":1}')
@example("sk-YWJjZGVm%", b'["sk-YWJjZGVm"]')
@example("=sk-YWJjZGVm", b'["sk-YWJjZGVm"]')
@example("nabcdefgh", b'["\\nabcdefgh"]')
def test_json_stays_valid_whatever_key_and_text_are(key: str, raw: bytes) -> None:
    document = raw
    try:
        json.loads(document)
    except ValueError:
        document = json.dumps([key, raw.decode("latin-1"), key]).encode()

    json.loads(Redactor(key).json(document))


@given(keys)
def test_key_in_lower_case_is_removed(key: str) -> None:
    """Servers store names of headers and hosts in lower case."""
    name = f"x-{key.lower()}"

    assert Redactor(key).everywhere(name.encode()) == b"x-[redacted]"
    assert key.lower() not in json.loads(Redactor(key).json(json.dumps([name]).encode()))[0]


@given(st.text(st.sampled_from('%2561\\u0"k=3D'), max_size=60), st.integers(0, 3))
def test_encoded_key_alone_is_removed_between_any_escapes(noise: str, rounds: int) -> None:
    key = "sk-plain-key"
    form = key
    for _ in range(rounds):
        form = percent(form)
    text = f"{noise} {form} {noise}"

    assert Redactor(key).everywhere(text.encode()).decode() == f"{noise} [redacted] {noise}"


escapes = st.sampled_from(["\\", "\\\\", '"', "u00", "\\u005c", "%5c", "a", "x", "\n"])


@examples(300)
@given(
    st.text('\\\\\\"u0a', min_size=8, max_size=12),
    st.lists(escapes | st.none(), max_size=8),
    st.integers(1, 2),
)
@example("\\" * 7 + '"', [None, *["\\"] * 14], 1)
def test_json_stays_valid_if_the_key_consists_of_escapes(
    key: str, parts: list[str | None], depth: int
) -> None:
    """In `parts`, None stands for the key."""
    document: object = "".join(key if part is None else part for part in parts)
    for _ in range(depth):
        document = json.dumps([document])
    assert isinstance(document, str)

    [shown] = json.loads(Redactor(key).json(document.encode()))

    assert key not in shown


@pytest.mark.parametrize("key", ["q<l.B@9zU'I;)%", "0123456789%%"])
def test_percent_sign_at_the_end_of_a_key_is_removed_from_the_end_of_a_text(key: str) -> None:
    half_encoded = f"key={percent(key[:5])}{key[5:]}"

    assert Redactor(key).everywhere(half_encoded.encode()) == b"key=[redacted]"


def test_backslash_at_the_end_of_a_key_is_removed_from_text() -> None:
    assert Redactor("0000000\\").everywhere(b"/a/0000000\\/b") == b"/a/[redacted]/b"


def repeated(unit: str) -> bytes:
    return (unit * (LENGTH // len(unit) + 1))[:LENGTH].encode()


def keys_of(length: int) -> list[str]:
    half = length // 2
    return ["a" * (half - 1) + "b" + "a" * half, "a" * (length - 1) + "b", "b" + "a" * (length - 1)]


KEYS = [*zip(keys_of(MAX_KEY_LENGTH // 32), keys_of(MAX_KEY_LENGTH), strict=True)]
PERIODIC = keys_of(MAX_KEY_LENGTH)[0]
HOSTILE = {
    "plain": "a",
    "encoded": "%61",
    "both": "a%61",
    "percent signs": "%",
    "begun encodings": "%6",
    "encoded twice": "%2561",
    "encoded three times": "%252561",
    "backslashes": "\\",
    "quotes": '\\"',
    "escapes": "\\u0061",
    "double escapes": "\\\\u0061",
    "all but the end": PERIODIC[:-1] + "c",
    "all but the end, encoded": percent(PERIODIC[:-1] + "c"),
    "base64": b64encode(PERIODIC[:-2].encode()).decode(),
}


@pytest.mark.deep
@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("short", "long"), KEYS, ids=["middle", "end", "beginning"])
def test_text_that_nearly_contains_a_long_key_takes_no_longer_than_with_a_short_key(
    short: str, long: str, unit: str
) -> None:
    """Comparing the key at each position would take 32 times as long, because the key is so."""
    text = repeated(unit)

    def redact(key: str) -> None:
        redactor = Redactor(key)
        redactor.json(text)
        redactor.everywhere(text)

    assert growth(partial(redact, short), partial(redact, long), 8) < 8


@pytest.mark.parametrize("redact", [Redactor.json, Redactor.everywhere])
def test_backslashes_take_linear_time_with_a_key_of_backslashes(
    redact: Callable[[Redactor, bytes], bytes],
) -> None:
    redactor = Redactor("\\" * 8)
    small, large = (partial(redact, redactor, b"\\" * size) for size in (LENGTH // 64, LENGTH // 4))

    assert growth(small, large, 64) < 64


@pytest.mark.parametrize("unit", ["%61", "%252561", "\\u0061"])
def test_long_text_that_nearly_contains_a_long_key_stays_as_it_is(unit: str) -> None:
    text = repeated(unit)

    shown = Redactor(PERIODIC).everywhere(text + b"c" + percent(PERIODIC).encode())

    assert shown == text + b"c[redacted]"
