"""One wrong field: the refusal begins with its path (SUB-14)."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.errors import InvalidRequest
from mock_server.domain.submission import PROVIDERS, REQUEST_TYPES, SubmissionDecoder
from tests.mock_server.domain.bodies import (
    LENIENT,
    STRICT,
    anything,
    bodies,
    encoded,
    strict_bodies,
)
from tests.mock_server.domain.strategies import MODEL

Values = st.SearchStrategy[Any]

MISLEADING = ["a - at `$.b`", "' - at `$.input`", "` - at `$", "Object missing required field `a`"]
RATIOS = [ratio.name for ratio in MODEL.aspect_ratios]


def other_than(*types: type) -> Values:
    """Draw any JSON value of another type; null is left out, for it may count as absent."""
    return anything.filter(
        lambda value: value is not None and type(value) not in types  # True is no integer
    )


def other_words(known: tuple[str, ...] | list[str]) -> Values:
    near = st.sampled_from(known).flatmap(
        lambda word: st.sampled_from([word.upper() + " ", word + "x", f" {word}", word[:-1]])
    )
    words = near | st.text(max_size=20)
    return words.filter(lambda word: word not in known)


WRONG: dict[str, Values] = {
    "input": anything.filter(lambda value: not isinstance(value, dict)),
    "input.prompt": st.none()
    | other_than(str)
    | st.just("")
    | st.integers(1, 3).map(lambda more: "a" * (MODEL.prompt_max_length + more)),
    "input.mode": other_than(str) | other_words(MODEL.modes),
    "input.aspect_ratio": other_than(str) | other_words(RATIOS),
    "input.num_images": other_than(int)
    | st.integers().filter(lambda count: count not in MODEL.image_counts)
    | st.sampled_from([3, 0, -1, 1.0, True, "1", 10**30]),
    "input.image_urls": other_than(list)
    | st.integers(1, 3).map(lambda more: ["a"] * (MODEL.max_image_urls + more)),
    "request_type": other_than(str) | other_words(REQUEST_TYPES),
    "provider": other_than(str) | other_words(PROVIDERS),
    "callback_url": other_than(str),
}
WRONG_CALLBACK_URLS = [
    "", "/hook", "example.com/hook", "//example.com/hook", "ftp://example.com/hook",
    "file:///etc/passwd", "data:,", "http://", "https:///hook", "http:hook", "http://:80/",
    "http://example.com:port/", "http://example.com:65536/", "http://[::1/", "http://[oops]/",
    "http://exa mple.com/", "http://example.com/\r\nX-A: b", "http://example.com/\t",
    "http://example.com/\x00", "http://example.com\\@localhost/", " http://example.com/",
    "http://example.com\n", "http://example.com/" + "a" * 2048, None,
]  # fmt: skip


def changed(
    body: dict[str, Any], path: str, change: Callable[[dict[str, Any], str], object]
) -> bytes:
    """Return the body with one field changed in place."""
    copy = deepcopy(body)
    parent, _, name = path.rpartition(".")
    change(copy[parent] if parent else copy, name)
    return encoded(copy)


def refusal_of(decoder: SubmissionDecoder, raw: bytes) -> str:
    with pytest.raises(InvalidRequest) as refusal:
        decoder.decode(raw)
    return str(refusal.value)


@pytest.mark.parametrize("path", WRONG)
@given(data=st.data(), body=bodies)
def test_one_wrong_value_is_refused_with_its_path(
    path: str, data: st.DataObject, body: dict[str, Any]
) -> None:
    wrong = data.draw(WRONG[path])
    raw = changed(body, path, lambda parent, name: parent.update({name: wrong}))

    assert refusal_of(LENIENT, raw).startswith(f"{path}: must be ")


@given(st.sampled_from(list(WRONG)), strict_bodies, st.data())
def test_strict_refuses_one_wrong_value_with_its_path_alike(
    path: str, body: dict[str, Any], data: st.DataObject
) -> None:
    wrong = data.draw(WRONG[path])
    raw = changed(body, path, lambda parent, name: parent.update({name: wrong}))

    assert refusal_of(STRICT, raw).startswith(f"{path}: must be ")


@pytest.mark.parametrize("path", ["input.mode", "input.aspect_ratio", "request_type", "provider"])
@pytest.mark.parametrize("value", MISLEADING)
def test_a_value_that_reads_like_a_path_does_not_mislead(path: str, value: str) -> None:
    body = {"input": {"prompt": "a fox"}}
    raw = changed(body, path, lambda parent, name: parent.update({name: value}))

    assert refusal_of(LENIENT, raw).startswith(f"{path}: must be ")


@given(bodies, st.integers(0, 4), other_than(str) | st.none())
def test_one_wrong_image_address_is_refused_with_its_index(
    body: dict[str, Any], index: int, wrong: object
) -> None:
    urls: list[object] = ["https://example.com/a.png"] * MODEL.max_image_urls
    urls[index] = wrong
    raw = changed(body, "input.image_urls", lambda parent, name: parent.update({name: urls}))

    assert refusal_of(LENIENT, raw).startswith(f"input.image_urls[{index}]: must be ")


@pytest.mark.parametrize("path", ["input", "input.prompt"])
@given(body=bodies)
def test_a_missing_field_is_refused_in_the_documented_words(
    path: str, body: dict[str, Any]
) -> None:
    raw = changed(body, path, dict.pop)

    assert refusal_of(LENIENT, raw) == f"Missing required field: {path}"


@given(strict_bodies)
def test_strict_misses_the_mode(body: dict[str, Any]) -> None:
    raw = changed(body, "input.mode", dict.pop)

    assert refusal_of(STRICT, raw) == "Missing required field: input.mode"


@pytest.mark.parametrize("url", WRONG_CALLBACK_URLS, ids=lambda url: ascii(url)[:40])
def test_a_callback_task_needs_an_address_that_can_be_called(url: str | None) -> None:
    body = {"input": {"prompt": "a fox"}}
    raw = encoded(body | {"request_type": "callback", "callback_url": url})

    assert refusal_of(LENIENT, raw).startswith("callback_url: ")


@given(bodies)
def test_a_callback_task_without_an_address_is_refused(body: dict[str, Any]) -> None:
    asked = body | {"request_type": "callback"}
    asked.pop("callback_url", None)

    assert refusal_of(LENIENT, encoded(asked)).startswith("callback_url: is required")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("input.num_images", "must be one of 1, 2, 4"),
        ("input.aspect_ratio", "must be one of 1:1, 3:2, 2:3"),
        ("input.mode", "must be one of gpt-image-1, text-to-image, image-to-image"),
        ("provider", "must be one of auto, value, official"),
        ("request_type", "must be one of async, callback"),
    ],
)
def test_a_refusal_says_what_is_allowed(path: str, allowed: str) -> None:
    body = {"input": {"prompt": "a fox"}}
    raw = changed(body, path, lambda parent, name: parent.update({name: [3]}))

    assert refusal_of(LENIENT, raw) == f"{path}: {allowed} (got [3])"
