"""Keeps API keys out of all that is shown and kept, also where a server sends them back."""

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "[key]"
_SHORTEST_SECRET: Final = 6  # a shorter key is a word that any text may hold


class Redaction:
    """Hides these keys in any case of letters, also as JSON and addresses write them."""

    def __init__(self, keys: Iterable[str]) -> None:
        secrets = {key for key in keys if len(key) >= _SHORTEST_SECRET}
        either = "|".join(_pattern(key) for key in sorted(secrets, key=len, reverse=True))
        self._text = re.compile(either or r"(?!)", re.IGNORECASE)
        self._bytes = re.compile(either.encode() or rb"(?!)", re.IGNORECASE)

    def text(self, text: str) -> str:
        return self._text.sub(HIDDEN, text)

    def content(self, content: bytes) -> bytes:
        return self._bytes.sub(HIDDEN.encode(), content)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((self.text(name), self.text(value)) for name, value in pairs)


def _pattern(key: str) -> str:
    """Let each sign be escaped: with backslashes (JSON in JSON has several), by code, as %2F."""
    signs = (rf"(?:{re.escape(sign)}|%{ord(sign):02x}|u00{ord(sign):02x})" for sign in key)
    return r"\\*".join(signs)
