"""Letters of every script are drawn with a font that has them, if the extra `fonts` is there."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.images import fonts, text_layout
from mock_server.images.fonts import BASE, face_of, note_about, runs
from mock_server.images.picture import Picture
from mock_server.images.render import render
from mock_server.images.text_layout import Box, LetterWidths, fit_prompt

FOX = {
    "arabic": "ثعلب أحمر في الثلج",
    "bengali": "তুষারে লাল শিয়াল",
    "chinese": "雪地里的红狐狸",
    "devanagari": "बर्फ में लाल लोमड़ी",
    "emoji": "🦊👍🏽🇫🇷",
    "georgian": "წითელი მელა თოვლში",
    "hebrew": "שועל אדום בשלג",
    "japanese": "雪の中の赤いキツネ",
    "korean": "눈 속의 붉은 여우",
    "symbols": "☃⚙",
    "tamil": "பனியில் சிவப்பு நரி",
    "thai": "สุนัขจิ้งจอกแดงในหิมะ",
}
every_script = pytest.mark.parametrize("text", FOX.values(), ids=FOX)
BOX = Box(letter_size=40, width=400, height=300)


def picture(prompt: str) -> Picture:
    return Picture(
        prompt=prompt, width=300, height=200, ratio="3:2", number=1, count=1, seed=b"seed"
    )


@pytest.fixture
def _no_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fonts, "_folder", lambda _: None)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    fonts.fallbacks.cache_clear()
    fonts.face_of.cache_clear()


@every_script
def test_every_letter_has_a_font(text: str) -> None:
    assert [letter for letter in text if face_of(letter) is None] == []
    assert any(face_of(letter) != BASE for letter in text)
    assert note_about(text) == ""


@every_script
def test_lines_of_every_script_fit_their_box(text: str) -> None:
    block = fit_prompt(f"{text} " * 4, [BOX])

    assert 0 < block.width <= BOX.width
    assert len(block.lines) > 1


@every_script
def test_equal_prompts_of_every_script_give_equal_pictures(text: str) -> None:
    assert render(picture(text)) == render(picture(text))


@pytest.mark.parametrize("text", ["a red fox", "café", "Ωμέγα", "Лиса", "“…” ½ €"])
def test_latin_greek_and_cyrillic_stay_in_open_sans(text: str) -> None:
    widths = LetterWidths(40)

    assert list(widths.drawn_parts(text)) == [(text, widths.font, widths.measure(text))]


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=40))
def test_parts_of_a_line_have_all_its_letters(text: str) -> None:
    assert sorted("".join(part for _, part in runs(text))) == sorted(text)


def parts(text: str) -> list[str]:
    return [part for _, part in runs(text)]


def test_words_of_a_font_are_one_part_so_that_their_order_is_right() -> None:
    assert parts(FOX["arabic"]) == [FOX["arabic"]]


def test_line_that_begins_in_arabic_runs_from_right_to_left() -> None:
    assert parts("قط fox ثلج") == ["ثلج", " fox ", "قط"]


def test_line_that_begins_in_latin_runs_from_left_to_right() -> None:
    assert parts("a fox قط ثلج here") == ["a fox ", "قط ثلج", " here"]


def test_joined_letters_are_narrower_than_single_ones() -> None:
    if not fonts.can_shape():
        pytest.skip("Pillow has no raqm here, so it joins no letters")
    widths = LetterWidths(40)

    assert widths.drawn_width("ثعلب") < sum(map(widths.drawn_width, "ثعلب"))


@pytest.mark.usefixtures("_no_extra")
@every_script
def test_without_the_extra_the_picture_says_how_to_get_it(text: str) -> None:
    block = fit_prompt(text, [BOX])

    assert block.note == "missing letters: pip install 'apixo-testkit[fonts]'"


@pytest.mark.usefixtures("_no_extra")
def test_note_is_drawn_on_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    with_note = render(picture("雪"))
    monkeypatch.setattr(text_layout, "note_about", lambda _: "")

    assert render(picture("雪")) != with_note


@pytest.mark.usefixtures("_no_extra")
@pytest.mark.parametrize("text", ["a red fox", "café Ωμέγα Лиса", "a\ue000", "\u0378"])
def test_without_the_extra_other_pictures_say_nothing(text: str) -> None:
    assert note_about(text) == ""


def test_missing_shaper_is_named_for_scripts_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "can_shape", lambda: False)

    assert "FriBiDi" in note_about(FOX["arabic"])
    assert "FriBiDi" in note_about(FOX["devanagari"])
    assert note_about(FOX["chinese"]) == ""


def test_probe_tells_a_letter_from_a_missing_one() -> None:
    assert face_of("a") == BASE
    assert face_of("\U0010ffff") is None
