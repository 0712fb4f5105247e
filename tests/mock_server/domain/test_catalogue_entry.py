"""The entry of `gpt-image-1` says what the contract says; one that is not whole is refused."""

import re
from fractions import Fraction

import msgspec
import pytest

from mock_server.catalogue_files import FIXTURES
from mock_server.domain.catalogue import parse_model
from tests.mock_server.domain.strategies import FAIL_MESSAGES, MODEL, TIMING

ENTRY = (FIXTURES / "models" / "gpt-image-1.toml").read_text(encoding="utf-8")
RATIOS_AT, TIMING_AT = ENTRY.index("[[aspect_ratios]]"), ENTRY.index("[timing]")
HEAD, RATIOS, TIMES = ENTRY[:RATIOS_AT], ENTRY[RATIOS_AT:TIMING_AT], ENTRY[TIMING_AT:]


def test_it_has_the_contracts_limits() -> None:
    assert MODEL.id == "gpt-image-1"
    assert MODEL.image_counts == (1, 2, 4)
    assert (MODEL.prompt_max_length, MODEL.max_image_urls) == (10_000, 5)
    assert MODEL.max_image_bytes == 10 * 1024 * 1024
    assert set(MODEL.image_formats) == {"JPEG", "PNG", "WEBP"}
    assert MODEL.result_ttl_s == 15 * 86_400
    assert (MODEL.price_usd, TIMING.generation_time_s) == (0.035, 30)


def test_it_takes_the_modes_of_every_page_and_strictly_the_model_pages() -> None:
    assert set(MODEL.modes) == {"gpt-image-1", "text-to-image", "image-to-image"}
    assert MODEL.strict_modes == ("gpt-image-1",)


def test_every_picture_has_the_proportions_of_its_ratio() -> None:
    assert [ratio.name for ratio in MODEL.aspect_ratios] == ["1:1", "3:2", "2:3"]
    for ratio in MODEL.aspect_ratios:
        assert Fraction(ratio.width, ratio.height) == Fraction(*map(int, ratio.name.split(":")))
        assert MODEL.ratio(ratio.name) is ratio


@pytest.mark.parametrize(
    ("general", "drawn"),
    [
        ("auto", "1:1"), ("16:9", "3:2"), ("9:16", "2:3"), ("4:3", "3:2"), ("3:4", "2:3"),
        ("21:9", "3:2"), ("7:6", "1:1"), ("1:9", "2:3"),
    ],
)  # fmt: skip
def test_a_general_ratio_is_drawn_in_the_nearest_documented_one(general: str, drawn: str) -> None:
    assert MODEL.nearest_ratio(general).name == drawn


def test_the_general_ratios_are_those_that_the_model_page_lacks() -> None:
    assert MODEL.general_ratios == ("auto", "16:9", "9:16", "4:3", "3:4", "21:9")
    assert not {ratio.name for ratio in MODEL.aspect_ratios} & set(MODEL.general_ratios)


def test_every_fail_code_of_the_contract_has_a_message() -> None:
    assert FAIL_MESSAGES.keys() == {
        "CONTENT_VIOLATION", "INVALID_IMAGE_URL", "NSFW_DETECTED", "PROMPT_TOO_LONG",
        "INVALID_PROMPT", "IMAGE_TOO_LARGE", "UNSUPPORTED_FORMAT", "IMAGE_DOWNLOAD_FAILED",
        "PROCESSING_TIMEOUT", "MODEL_UNAVAILABLE", "GENERATION_FAILED", "INSUFFICIENT_CREDITS",
        "SensitiveContent", "SensitiveContentDetected", "InputImageSensitiveContentDetected",
        "InputOutputSensitiveContentDetected", "ProhibitedContentDetected", "NSFW",
        "PromptLengthExceeded", "INVALID_LORA_URL",
    }  # fmt: skip
    assert all(FAIL_MESSAGES.values())


@pytest.mark.parametrize("member", re.findall(r"^(\w+) = ", HEAD + TIMES, re.MULTILINE))
def test_an_entry_without_a_member_is_refused(member: str) -> None:
    rest = re.sub(rf"^{member} = .*$", "", ENTRY, flags=re.MULTILINE)

    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{member}`"):
        parse_model(rest.encode())


@pytest.mark.parametrize(
    ("rest", "missing"),
    [(HEAD + RATIOS, "timing"), (HEAD + TIMES, "aspect_ratios")],
    ids=["no timing", "no aspect ratios"],
)
def test_an_entry_without_a_table_is_refused(rest: str, missing: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"missing required field `{missing}`"):
        parse_model(rest.encode())


def test_an_entry_with_an_unknown_member_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `image_count`"):
        parse_model(f"image_count = [1]\n{ENTRY}".encode())
