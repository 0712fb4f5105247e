"""Which prompts break the safety guidelines (FAIL-1): a word list, compared by whole words."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
# Fillers and variation selectors, which Unicode also lets nobody see
_ALSO_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
) | {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
_ASCII_WORDS = "".join(
    chr(code).casefold() if _WORD.match(chr(code)) else " " for code in range(128)
)


def parse_words(text: str) -> frozenset[str]:
    """Read a word list: one word a line, `#` begins a comment.

    Raises ValueError naming the line that is not one word.
    """
    words = set()
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.partition("#")[0].strip()
        if not written:
            continue
        word = fold(written)
        if not _WORD.fullmatch(word):
            raise ValueError(f"line {number}: {written!r} is not one word of letters and digits")
        words.add(word)
    return frozenset(words)


def moderated_word(prompt: str, words: frozenset[str]) -> str | None:
    """Return the first word of the prompt that is on the list."""
    if prompt.isascii():  # the same as below, without a regular expression
        found = prompt.translate(_ASCII_WORDS).split()
    else:
        found = _WORD.findall(fold(prompt))
    if words.isdisjoint(found):
        return None
    return next(word for word in found if word in words)


def fold(text: str) -> str:
    """Bring spellings of one word together: NFKC, case folding, no invisible characters."""
    if text.isascii():
        return text.casefold()
    visible = "".join(char for char in text if not _is_invisible(char))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or char in _ALSO_INVISIBLE
