"""A prompt is broken into lines that fit; it is cut only if the smallest letters do not fit."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mock_server.images.text_layout import (
    MAX_TEXT_LENGTH,
    Box,
    LetterWidths,
    clean_text,
    fit_prompt,
)

LARGE = Box(letter_size=40, width=600, height=200)
SMALL = Box(letter_size=20, width=600, height=200)

words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=90)
texts = st.lists(words, max_size=60).map(" ".join)


@given(texts)
def test_no_line_is_wider_than_the_box(text: str) -> None:
    block = fit_prompt(text, [LARGE, SMALL])
    widths = LetterWidths(block.box.letter_size)

    assert all(widths.measure(line) <= block.box.width for line in block.lines)
    assert block.height <= block.box.height


@given(texts)
def test_a_text_that_is_not_truncated_is_complete(text: str) -> None:
    block = fit_prompt(text, [LARGE, SMALL])
    assume(not any("…" in line for line in block.lines))

    assert "".join(block.lines).replace(" ", "") == clean_text(text).replace(" ", "")


def test_a_short_text_gets_the_large_letters() -> None:
    assert fit_prompt("a fox", [LARGE, SMALL]).box == LARGE


def test_a_long_text_gets_the_small_letters() -> None:
    assert fit_prompt("a fox in the snow " * 10, [LARGE, SMALL]).box == SMALL


def test_a_text_too_long_for_the_small_letters_ends_with_an_ellipsis() -> None:
    block = fit_prompt("fox " * 1_000, [LARGE, SMALL])

    assert len(block.lines) == SMALL.max_lines
    assert block.lines[-1].endswith("…")


def test_a_wide_word_gets_smaller_letters_before_it_is_broken() -> None:
    word = "Donaudampfschifffahrtsgesellschaft"

    assert fit_prompt(f"the {word}", [LARGE, SMALL]).lines == [f"the {word}"]


def test_a_very_long_word_is_broken() -> None:
    block = fit_prompt("fox" * 16, [LARGE, SMALL])
    widths = LetterWidths(LARGE.letter_size)

    assert "".join(block.lines) == "fox" * 16
    assert block.box == LARGE
    assert all(widths.measure(line) <= LARGE.width for line in block.lines)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param(" a \t fox \n\n\r\n in\u2028snow ", "a fox\nin\nsnow", id="blank space"),
        pytest.param("a\0b\x07\ud800", "a\N{REPLACEMENT CHARACTER}b" + "\ufffd" * 2, id="control"),
        pytest.param("e\N{COMBINING ACUTE ACCENT}", "é", id="composed letters"),
        pytest.param("\u2764\ufe0f\u200d\u200f", "\u2764", id="invisible marks"),
        pytest.param("f" * 10_000, "f" * MAX_TEXT_LENGTH + "…", id="too long"),
        pytest.param(" \n ", "", id="nothing"),
    ],
)
def test_a_prompt_is_cleaned_before_it_is_drawn(prompt: str, text: str) -> None:
    assert clean_text(prompt) == text


def test_letters_wider_than_the_box_get_a_line_each() -> None:
    narrow = Box(letter_size=20, width=5, height=200)

    assert fit_prompt("a fox", [narrow]).lines == ["a", "f", "o", "x"]


@pytest.mark.parametrize("prompt", ["", "\n\n", "\N{ZERO WIDTH JOINER}\n\N{ZERO WIDTH JOINER}"])
def test_a_prompt_without_visible_letters_has_no_lines(prompt: str) -> None:
    block = fit_prompt(prompt, [LARGE, SMALL])

    assert (block.lines, block.width, block.height) == ([], 0, 0)
