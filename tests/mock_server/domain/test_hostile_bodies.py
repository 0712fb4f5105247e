"""Whatever bytes come, the answer is a submission or a refusal that names its place."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.errors import InvalidRequest
from tests.mock_server.domain.bodies import LENIENT, STRICT, bodies, encoded

DEEP = 100_000
VALID = b'"input":{"prompt":"a fox"}'

HOSTILE_VALUES = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus infinity": b"-Infinity",
    "invalid UTF-8": b'"\xff"',
    "UTF-8 cut short": b'"\xf0\x9f\xa6"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "lone high surrogate": b'"\\ud800"',
    "lone low surrogate": b'"\\udc00"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and never closed": b"[" * DEEP,
    "control character": b'"\x00"',
    "unknown escape": b'"\\q"',
    "leading zero": b"01",
    "single quotes": b"'a'",
    "nothing": b"",
}
HOSTILE_BODIES = {
    "nothing": b"",
    "white space": b" \n",
    "array": b"[]",
    "string": b'"a fox"',
    "number": b"1",
    "null": b"null",
    "NaN": b"NaN",
    "BOM": b"\xef\xbb\xbf{" + VALID + b"}",
    "UTF-16": ("{" + VALID.decode() + "}").encode("utf-16"),
    "UTF-32": ("{" + VALID.decode() + "}").encode("utf-32-le"),
    "two objects": b"{" + VALID + b"}{}",
    "trailing comma": b"{" + VALID + b",}",
    "comment": b"{" + VALID + b"/* a */}",
    "form": b"prompt=a+fox",
    "cut short": b"{" + VALID,
    "deep lists": b"[" * DEEP,
    "deep objects": b'{"a":' * DEEP,
}
PLACES = {
    "prompt": b'{"input":{"prompt":%b}}',
    "callback_url": b'{"callback_url":%b,"input":{"prompt":"a fox"}}',
    "image_urls": b'{"input":{"prompt":"a fox","image_urls":[%b]}}',
    "skipped": b'{"x":%b,' + VALID + b"}",
    "skipped in input": b'{"input":{"prompt":"a fox","x":%b}}',
    "skipped deeper": b'{"x":[{"y":[%b]}],' + VALID + b"}",
    "skipped at the end": b"{" + VALID + b',"x":%b}',
}


@pytest.mark.parametrize("raw", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^body: "):
        LENIENT.decode(raw)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_a_hostile_value_is_refused_wherever_it_stands(value: bytes, place: bytes) -> None:
    raw = place % value

    if value or b"[%b]" not in place:  # an empty list is none
        with pytest.raises(InvalidRequest, match=r"^(body|input|callback_url)\b"):
            LENIENT.decode(raw)


@pytest.mark.parametrize("name", [b"\\ud800", b"\xff", b"\xed\xa0\x80", b"\x00", b"\\q"], ids=repr)
def test_a_hostile_name_is_refused(name: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^body: "):
        LENIENT.decode(b'{"%b":1,' % name + VALID + b"}")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_submission_or_a_refusal(raw: bytes) -> None:
    for decoder in (LENIENT, STRICT):
        with suppress(InvalidRequest):
            assert decoder.decode(raw).prompt


@given(bodies, st.data())
def test_a_body_with_holes_gives_a_submission_or_a_refusal(
    body: dict[str, Any], data: st.DataObject
) -> None:
    raw = bytearray(encoded(body)[:500])
    places = st.integers(0, len(raw) - 1)
    for place, byte in data.draw(st.dictionaries(places, st.integers(0, 255), max_size=4)).items():
        raw[place] = byte
    del raw[data.draw(places) :]

    with suppress(InvalidRequest):
        assert LENIENT.decode(bytes(raw)).prompt


@given(bodies, st.data())
def test_a_body_cut_short_is_refused(body: dict[str, Any], data: st.DataObject) -> None:
    raw = encoded(body)

    with pytest.raises(InvalidRequest, match=r"^body: "):
        LENIENT.decode(raw[: data.draw(st.integers(0, len(raw) - 1))])
