"""Which prompts break the safety guidelines (FAIL-1): a word list, compared by whole words."""

import re
import unicodedata

_WORD = re.compile(r"\w+")
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
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
