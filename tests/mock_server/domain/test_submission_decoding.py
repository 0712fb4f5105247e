"""A valid body is understood as it says, with the defaults of the catalogue (SUB-2 … SUB-16)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mock_server.domain.errors import InvalidRequest
from mock_server.domain.submission import Submission, SubmissionDecoder
from tests.mock_server.domain.bodies import (
    LENIENT,
    STRICT,
    bodies,
    encoded,
    strict_bodies,
    unknown_members,
)
from tests.mock_server.domain.strategies import MODEL


def what_it_says(body: Mapping[str, Any]) -> Submission:
    given_input = body["input"]
    return Submission(
        prompt=given_input["prompt"],
        ratio=given_input.get("aspect_ratio") or "1:1",
        num_images=given_input.get("num_images") or 1,
        image_urls=tuple(given_input.get("image_urls") or ()),
        callback_url=body["callback_url"] if body.get("request_type") == "callback" else None,
    )


@given(bodies)
def test_a_valid_body_decodes_to_what_it_says(body: dict[str, Any]) -> None:
    assert LENIENT.decode(encoded(body)) == what_it_says(body)


@given(strict_bodies)
def test_what_strict_takes_the_default_takes_alike(body: dict[str, Any]) -> None:
    assert STRICT.decode(encoded(body)) == LENIENT.decode(encoded(body)) == what_it_says(body)


@given(bodies, unknown_members, unknown_members)
def test_unknown_members_are_ignored_wherever_they_stand(
    body: dict[str, Any], outside: dict[str, Any], inside: dict[str, Any]
) -> None:
    crowded = outside | body | {"input": inside | body["input"]}

    assert LENIENT.decode(encoded(crowded)) == what_it_says(body)


@given(bodies, st.sampled_from(["ascii", "utf-8"]), st.sampled_from([None, 2]))
def test_the_manner_of_writing_json_makes_no_difference(
    body: dict[str, Any], charset: str, indent: int | None
) -> None:
    text = json.dumps(body, ensure_ascii=charset == "ascii", indent=indent)

    assert LENIENT.decode(f" \n{text}\r\n\t".encode()) == what_it_says(body)


@pytest.mark.parametrize("character", ["a", "é", "🦊"])
def test_the_prompts_length_is_counted_in_code_points(character: str) -> None:
    longest = {"input": {"prompt": character * MODEL.prompt_max_length}}
    too_long = {"input": {"prompt": character * (MODEL.prompt_max_length + 1)}}

    assert LENIENT.decode(encoded(longest)).prompt == longest["input"]["prompt"]
    with pytest.raises(InvalidRequest, match=r"^input\.prompt: .* 1 to 10000 characters"):
        LENIENT.decode(encoded(too_long))


def test_the_old_names_are_unknown_members() -> None:
    old = {"prompt": "a fox", "nVariants": 4, "isEnhance": True}

    assert LENIENT.decode(encoded({"input": old})) == Submission(
        prompt="a fox", ratio="1:1", num_images=1
    )


def test_a_callback_address_is_forgotten_when_nobody_asks_for_callbacks() -> None:
    body = {"callback_url": "not an address", "input": {"prompt": "a fox"}}

    assert LENIENT.decode(encoded(body)).callback_url is None


@pytest.mark.parametrize("mode", ["text-to-image", "image-to-image", None, "absent"])
def test_strict_takes_the_model_pages_mode_only(mode: str | None) -> None:
    given_input = {"prompt": "a fox"} | ({} if mode == "absent" else {"mode": mode})

    assert LENIENT.decode(encoded({"input": given_input})).prompt == "a fox"
    with pytest.raises(InvalidRequest, match=r"input\.mode"):
        STRICT.decode(encoded({"input": given_input}))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://localhost/hook",
        "https://127.0.0.1:8443/hook",
        "https://[::1]/hook",
        "https://10.1.2.3/hook",
        "https://receiver/hook",
        "https://receiver.internal/hook",
    ],
)
def test_strict_calls_back_public_https_addresses_only(url: str) -> None:
    body = encoded(
        {
            "request_type": "callback",
            "callback_url": url,
            "input": {"mode": "gpt-image-1", "prompt": "a fox"},
        }
    )

    assert LENIENT.decode(body).callback_url == url
    with pytest.raises(InvalidRequest, match=r"^callback_url: must be a public HTTPS URL"):
        STRICT.decode(body)


def test_a_callback_url_of_2048_characters_is_accepted() -> None:
    url = "https://example.com/".ljust(2048, "a")
    body = {"request_type": "callback", "callback_url": url, "input": {"prompt": "a fox"}}

    assert LENIENT.decode(encoded(body)).callback_url == url
    with pytest.raises(InvalidRequest, match=r"^callback_url: must have at most 2048 characters"):
        LENIENT.decode(encoded(body | {"callback_url": url + "a"}))


def test_another_model_needs_only_a_catalogue_entry() -> None:
    sketcher = structs.replace(MODEL, image_counts=(3,), modes=("sketch",), prompt_max_length=5)
    decoder = SubmissionDecoder(sketcher, strict=False, general_ratios=False)

    assert decoder.decode(encoded({"input": {"prompt": "a fox"}})).num_images == 3
    with pytest.raises(
        InvalidRequest, match=r"^input\.mode: must be one of sketch .got .gpt-image-1..$"
    ):
        decoder.decode(encoded({"input": {"prompt": "a fox", "mode": "gpt-image-1"}}))
    with pytest.raises(InvalidRequest, match=r"^input\.prompt: must be a string of 1 to 5 char"):
        decoder.decode(encoded({"input": {"prompt": "a foxy"}}))
