"""Find prompts that violate the safety guidelines (FAIL-1), by a list of whole words."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from itertools import pairwise

from mock_server.domain.errors import quoted

_WORD = re.compile(r"[^\W_]+")
# Fillers and variation selectors are invisible, but are not in Unicode's category Cf (format).
_ALSO_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
) | {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
# These are no combining marks, but are decomposed into some.
_ALSO_MARKS = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")
_MAX_MARKS = 30
_MARK = "\u0300"  # COMBINING GRAVE ACCENT
_MANY_MARKS = re.compile(f"{_MARK}{{{_MAX_MARKS}}}(?={_MARK})")
_JOINER = "\u034f"  # COMBINING GRAPHEME JOINER
# A table for `bytes.translate`, which is much faster than `str.translate`.
_ASCII_WORDS = (
    "".join(chr(code).casefold() if _WORD.match(chr(code)) else " " for code in range(128))
    .encode()
    .ljust(256)
)


def parse_words(word_list: str) -> frozenset[str]:
    """Return the words of a list with one word per line; `#` starts a comment.

    Raise ValueError with the number of a line that is not a single word.
    """
    words = set()
    for number, line in enumerate(word_list.splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        word = fold(text)
        if not _WORD.fullmatch(word):
            raise ValueError(
                f"line {number}: must be one word of letters and digits (got {quoted(text)})"
            )
        words.add(word)
    return frozenset(words)


class ModeratedWords:
    """Finds the words of a list in prompts."""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._encoded = frozenset(word.encode() for word in words)

    def first_in(self, prompt: str) -> str | None:
        """Return the first word of the prompt that is on the list, or None."""
        if prompt.isascii():
            # Bytes are faster than the regular expression below, with the same result.
            encoded = prompt.encode().translate(_ASCII_WORDS).split()
            if self._encoded.isdisjoint(encoded):
                return None
            return next(word for word in encoded if word in self._encoded).decode()
        folded = _WORD.findall(fold(prompt))
        return next((word for word in folded if word in self._words), None)


def fold(text: str) -> str:
    """Return one form for all spellings of a word: NFKC, case folded, visible characters only."""
    if text.isascii():
        return text.casefold()
    chars = set(text)  # Only these are looked up. A long text has few different characters.
    invisible = {ord(char): None for char in chars if _is_invisible(char)}
    marks = {ord(char): _MARK for char in chars if _is_mark(char)}
    visible = text.translate(invisible) if invisible else text
    safe = _stream_safe(visible, marks) if marks else visible
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", safe).casefold())


def _stream_safe(text: str, marks: Mapping[int, str]) -> str:
    """Return a text with at most 30 combining marks in sequence (UAX #15, Stream-Safe Text).

    The time of a normalization grows with the square of such a sequence. Further marks are
    separated by U+034F, which is no part of a word, and neither are combining marks. `marks` maps
    each combining mark of the text to the same one.
    """
    cuts = [found.end() for found in _MANY_MARKS.finditer(text.translate(marks))]
    return _JOINER.join(text[start:end] for start, end in pairwise([0, *cuts, len(text)]))


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or char in _ALSO_INVISIBLE


def _is_mark(char: str) -> bool:
    return unicodedata.combining(char) > 0 or char in _ALSO_MARKS
