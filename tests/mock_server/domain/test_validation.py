"""An error of a decoded value says where, what is wrong, and what to do."""

from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from mock_server.domain.errors import InvalidValue
from mock_server.domain.validation import convert, decode_json


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


Percent = Annotated[int, Meta(ge=0, le=100)]
Length = Annotated[
    Annotated[float, Meta(ge=0)] | Annotated[str, Meta(pattern="^[0-9]+s$")],
    Meta(extra={"form": "a duration such as 2 or 2s"}),
]


class Inner(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    percent: Percent
    colour: Colour | None = None


class Outer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    inner: Inner | None = None
    either: Colour | Inner | list[Percent] | None = None
    fail_code: Annotated[str, Meta(min_length=1, max_length=3)] | None = None
    headers: Annotated[dict[str, Annotated[str, Meta(min_length=1)]], Meta(min_length=1)] = {}
    length: Length | None = None
    span: tuple[Length, Length] | None = None
    factor: Annotated[float, Meta(gt=0, le=2.5)] = 1
    status: Literal[400, 402] = 400
    is_on: bool = True
    names: Annotated[list[str], Meta(max_length=2)] = []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (5, "body: must be an object (got 5)"),
        ({"inner": {}}, "inner.percent: is required"),
        ({"innr": 1}, 'innr: is unknown; did you mean "inner"?'),
        ({"inner": {"percent": 1, "color": "red"}}, 'inner.color: is unknown; did you mean "colo'),
        ({"inner": {"percent": 101}}, "inner.percent: must be a whole number from 0 to 100"),
        ({"inner": {"percent": 1, "colour": "rd"}}, 'inner.colour: "rd" is unknown; did'),
        ({"inner": {"percent": 1, "colour": 3}}, "inner.colour: must be one of red, green (got 3)"),
        ({"either": {"percent": "x"}}, "either.percent: must be a whole number from 0 to 100"),
        ({"either": [1, 200]}, "either[1]: must be a whole number from 0 to 100 (got 200)"),
        ({"either": True}, "either: must be one of red, green or an object or a list (got true)"),
        ({"failCode": "NSFW"}, 'failCode: must be a string of 1 to 3 characters (got "NSFW")'),
        ({"fail_code": "N"}, 'fail_code: is unknown; did you mean "failCode"?'),
        ({"headers": {"A": "b", "X-Y.z": 1}}, "headers.X-Y.z: must be a string of at least 1"),
        ({"headers": {}}, "headers: must be an object of at least 1 member (got {})"),
        ({"length": "soon"}, 'length: must be a duration such as 2 or 2s (got "soon")'),
        ({"span": [1]}, "span: must be a list of 2 items (got [1])"),
        ({"span": [1, -1]}, "span[1]: must be a duration such as 2 or 2s (got -1)"),
        ({"factor": 0}, "factor: must be a number, more than 0 and at most 2.5 (got 0)"),
        ({"status": 500}, "status: must be one of 400, 402 (got 500)"),
        ({"isOn": "yes"}, 'isOn: must be true or false (got "yes")'),
        ({"names": ["a", "b", "c"]}, "names: must be a list of at most 2 items"),
    ],
    ids=str,
)  # fmt: skip
def test_error_names_path_problem_and_value(value: Any, told: str) -> None:
    with pytest.raises(InvalidValue) as decoded:
        decode_json(msgspec.json.encode(value), Outer)
    with pytest.raises(InvalidValue) as converted:
        convert(value, Outer)

    assert str(decoded.value).startswith(told)
    assert str(converted.value) == str(decoded.value)


def test_path_of_a_converted_value_begins_where_the_value_stands() -> None:
    with pytest.raises(InvalidValue) as raised:
        convert({"inner": {}}, Outer, "rules[3]")

    assert raised.value.path == "rules[3].inner.percent"
    assert raised.value.is_missing


@pytest.mark.parametrize("raw", [b"", b"{", b'{"isOn": true', b'{"failCode": "\xff"}'])
def test_document_that_is_no_json_is_rejected(raw: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"^settings: must be one JSON object in UTF-8"):
        decode_json(raw, Outer, "settings")


def test_document_that_is_nested_too_deeply_is_rejected() -> None:
    with pytest.raises(InvalidValue, match=r"^body: must be an object$"):
        decode_json(b"[" * 5000, Outer)


@pytest.mark.parametrize(
    "raw", [b'{"inner": {"percent": "x"}, "inner": 5}', b'{"headers": {"a": 1}, "headers": {}}']
)
def test_document_that_repeats_a_member_is_rejected_with_the_path(raw: bytes) -> None:
    with pytest.raises(InvalidValue) as raised:
        decode_json(raw, Outer)

    assert raised.value.path in {"inner.percent", "headers...."}


@pytest.mark.parametrize("name", ["x` - at `$.y", "x` - at `$[0]", "x` - at `$.headers.y"])
def test_name_that_looks_like_a_path_is_rejected_all_the_same(name: str) -> None:
    with pytest.raises(InvalidValue, match="unknown member"):
        convert({name: 1}, Outer)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["inner", "either", "percent", "headers", "span"]) | st.text(), inner
        )
    ),
    max_leaves=6,
)


@given(values)
def test_any_value_is_accepted_or_rejected_with_a_path(value: object) -> None:
    with suppress(InvalidValue):
        assert isinstance(convert(value, Outer, "rule"), Outer)
    with suppress(InvalidValue):
        decode_json(msgspec.json.encode(value), Outer)
