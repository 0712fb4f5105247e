"""Redacts API keys in everything that is shown or stored, even if a server echoes them."""

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "[key]"
_SHORTEST_SECRET: Final = 6  # A shorter key may be part of any text.


class Redaction:
    """Replaces these keys in any letter case, also when escaped as in JSON or in a URL."""

    def __init__(self, keys: Iterable[str]) -> None:
        secrets = {key for key in keys if len(key) >= _SHORTEST_SECRET}
        either = "|".join(_pattern(key) for key in sorted(secrets, key=len, reverse=True))
        self._text = re.compile(either or r"(?!)", re.IGNORECASE)
        self._bytes = re.compile(either.encode() or rb"(?!)", re.IGNORECASE)

    def text(self, text: str) -> str:
        """Return the text without keys."""
        return self._text.sub(HIDDEN, text)

    def content(self, content: bytes) -> bytes:
        """Return the bytes without keys."""
        return self._bytes.sub(HIDDEN.encode(), content)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return the pairs, such as headers, without keys in names and values."""
        return tuple((self.text(name), self.text(value)) for name, value in pairs)


def _pattern(key: str) -> str:
    r"""Return an expression for the key in which each character may be escaped.

    JSON inside JSON has several backslashes; a character may also be `\u002f` or `%2F`.
    """
    characters = (rf"(?:{re.escape(char)}|%{ord(char):02x}|u00{ord(char):02x})" for char in key)
    return r"\\*".join(characters)
