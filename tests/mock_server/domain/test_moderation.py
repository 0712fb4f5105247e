"""FAIL-1: a listed word is found however it is spelt, and only as a whole word."""

import sys
import unicodedata
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.moderation import _ALSO_MARKS, _MAX_MARKS, ModeratedWords, fold, parse_words
from tests.mock_server.domain.strategies import CATALOGUE, moderated_words

WORDS = CATALOGUE.moderated_words
MODERATED = ModeratedWords(WORDS)
INVISIBLE = [
    pytest.param("\u200b", id="zero-width space"),
    pytest.param("\u200c", id="zero-width non-joiner"),
    pytest.param("\u200d", id="zero-width joiner"),
    pytest.param("\u2060", id="word joiner"),
    pytest.param("\ufeff", id="zero-width no-break space"),
    pytest.param("\u00ad", id="soft hyphen"),
    pytest.param("\u202e", id="direction mark"),
    pytest.param("\u034f", id="grapheme joiner"),
    pytest.param("\ufe0f", id="variation selector"),
    pytest.param("\u3164", id="Hangul filler"),
]
separators = st.sampled_from([" ", "\n", ", ", ".", "!", "-", "/", '"', "、", "…", "🦊"])
harmless = st.sampled_from(["", "fox", "Füchse", "raped", "gored", "therapist", "1", "ß"])


def fullwidth(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


@st.composite
def spellings(draw: st.DrawFn, word: str) -> str:
    """Draw a word in other cases and forms, with invisible characters in between."""
    spelt = ""
    for char in word:
        form = draw(st.sampled_from([str.lower, str.upper, fullwidth]))
        spelt += form(char) + draw(st.sampled_from(["", "", "\u200b", "\u2060\ufeff"]))
    return spelt


@given(moderated_words, separators, separators, harmless, harmless, st.data())
def test_a_listed_word_is_found_in_every_spelling(
    word: str, before: str, after: str, left: str, right: str, data: st.DataObject
) -> None:
    spelt = data.draw(spellings(word))

    assert MODERATED.first_in(f"{left}{before}{spelt}{after}{right}") == word


@given(
    word=moderated_words,
    blank=st.sampled_from([" ", ", ", "-", "\n", "\x1f", '"']),
    is_first=st.booleans(),
)
def test_a_listed_word_is_found_in_plain_text_in_any_case(
    word: str, blank: str, *, is_first: bool
) -> None:
    for spelt in (word, word.upper(), word.title()):
        words = [spelt, "Fox"] if is_first else ["Fox", spelt]
        assert MODERATED.first_in(blank.join(words)) == word


@given(word=moderated_words, letter=st.sampled_from("abcxyzäß1"), is_before=st.booleans())
def test_a_part_of_a_word_is_not_found(word: str, letter: str, *, is_before: bool) -> None:
    longer = letter + word if is_before else word + letter

    assert (MODERATED.first_in(f"a {longer} of foxes") is None) == (longer not in WORDS)


@pytest.mark.parametrize("char", INVISIBLE)
def test_an_invisible_character_hides_nothing(char: str) -> None:
    assert MODERATED.first_in(f"{char}n{char}u{char}{char}de{char}") == "nude"


@given(st.text(max_size=40))
def test_only_what_is_listed_is_found(prompt: str) -> None:
    assert ModeratedWords(()).first_in(prompt) is None
    assert MODERATED.first_in(prompt) in {None, *WORDS}


@given(st.lists(moderated_words, min_size=1, max_size=4))
def test_the_first_of_several_is_told(words: list[str]) -> None:
    assert MODERATED.first_in(" and ".join(words)) == words[0]


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("STRASSE", "straße"), ("\ufb01ne", "fine"), ("e\u0301", "É"), ("ΣΑΣ", "σας"), ("①", "1")],
)
def test_spellings_of_one_word_fold_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_word_list_is_read_with_its_comments() -> None:
    text = "# A list\n\n Gore \nSTRASSE # as in Straße\n\ufeffnude\n"

    assert parse_words(text) == {"gore", "strasse", "nude"}


@given(st.sets(moderated_words))
def test_a_written_list_reads_back(words: set[str]) -> None:
    assert parse_words("\n".join(map(str.upper, words))) == words


@pytest.mark.parametrize("line", ["two words", "semi-detached", "!", "a,b"])
def test_a_line_that_is_not_one_word_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=rf'^line 2: must be one word .*got "{line}"'):
        parse_words(f"gore\n{line}")


@pytest.mark.parametrize("prompt", ["a _nude_ fox", "a_nude_fox", "żółty _nude_"])
def test_an_underscore_ends_a_word(prompt: str) -> None:
    assert MODERATED.first_in(prompt) == "nude"


def test_marks_that_decompose_into_marks_are_known() -> None:
    decomposed = {
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if unicodedata.combining(unicodedata.normalize("NFKD", char)[0])
    }

    assert {char for char in decomposed if not unicodedata.combining(char)} == _ALSO_MARKS


@pytest.mark.parametrize("marks", ["\u0316\u0301", "\u0f73\uff9e", "\u0344\u0316"])
def test_no_prompt_makes_normalization_slow(marks: str) -> None:
    """Its time grows with the square of the longest sequence of combining marks.

    Without a limit, 10,000 marks took 1,000 times as long as 10,000 letters.
    """
    decomposed = unicodedata.normalize("NFD", fold(marks * 5_000))

    is_mark = (unicodedata.combining(char) > 0 for char in decomposed)
    sequences = [len([*group]) for found, group in groupby(is_mark) if found]
    assert max(sequences) <= 2 * _MAX_MARKS  # A mark may be decomposed into two.
    assert sum(sequences) >= 5_000


@given(st.lists(st.sampled_from(["\u0316", "\u0301" * 29, "\uff9e", "é", "\u200b", "\u0300"])))
def test_sequence_of_marks_is_separated_after_every_30_marks(parts: list[str]) -> None:
    safe, count = "", 0
    for char in "".join(parts).replace("\u200b", ""):
        count = count + 1 if unicodedata.combining(char) or char in _ALSO_MARKS else 0
        safe += "\u034f" + char if count > _MAX_MARKS else char
        count = 1 if count > _MAX_MARKS else count
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", safe).casefold())

    assert fold("".join(parts)) == folded


@given(word=moderated_words, marks=st.text("\u0316\u0301\u0f73\uff9e", max_size=100))
def test_a_word_is_found_between_marks(word: str, marks: str) -> None:
    assert MODERATED.first_in(f"{marks} {word} {marks}") == word
