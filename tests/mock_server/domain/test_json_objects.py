"""A JSON list is split into its objects, and nothing else is accepted as such a list."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.errors import InvalidValue
from mock_server.domain.json_objects import objects_in

texts = st.text(st.sampled_from('[]{},:"\\ \né')) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)


@given(
    st.lists(st.dictionaries(texts, values)),
    st.sampled_from([None, 0, 2]),
    st.sampled_from(["ascii", "utf-8"]),
)
def test_objects_are_those_of_the_list(
    objects: list[dict[str, Any]], indent: int | None, charset: str
) -> None:
    raw = json.dumps(objects, indent=indent, ensure_ascii=charset == "ascii").encode()

    assert [json.loads(each) for each in objects_in(raw, "tasks")] == objects


@given(st.lists(values).filter(lambda found: not all(isinstance(each, dict) for each in found)))
def test_first_item_that_is_no_object_is_named(items: list[Any]) -> None:
    at = next(at for at, each in enumerate(items) if not isinstance(each, dict))

    with pytest.raises(InvalidValue) as error:
        list(objects_in(json.dumps(items).encode(), "tasks"))

    assert error.value.path == f"tasks[{at}]"


@given(st.binary() | st.text(st.sampled_from('[]{},"\\1 ')).map(str.encode))
def test_any_other_bytes_are_split_or_rejected(raw: bytes) -> None:
    try:
        objects = list(objects_in(raw, "tasks"))
    except InvalidValue:
        return
    assert all(each.startswith(b"{") and each.endswith((b"}", b"]")) for each in objects)


def test_list_of_many_other_items_is_rejected_without_a_value_for_each() -> None:
    raw = b"[" + b"0," * 1_000_000 + b"0]"

    with pytest.raises(InvalidValue, match="must be an object"):
        next(objects_in(raw, "tasks"))


def test_object_that_is_nested_too_deep_is_rejected_at_once() -> None:
    raw = b'[{"a":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}]"

    with pytest.raises(InvalidValue, match=r"tasks\[0\]"):
        next(objects_in(raw, "tasks"))
