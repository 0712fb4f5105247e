"""Redacts API keys in everything that is shown or stored, even if a server echoes them."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final

HIDDEN: Final = "[key]"
_SHORTEST_SECRET: Final = 6  # A shorter key may be part of any text.
_SHORTEST_BASE64: Final = 8


class Redaction:
    """Replaces these keys in any letter case, also if they are escaped as in JSON or in a URL.

    A key is also replaced inside base64, for example in a header of basic authentication.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        secrets = {key for key in keys if len(key) >= _SHORTEST_SECRET}
        either = "|".join(_pattern(key) for key in sorted(secrets, key=len, reverse=True))
        self._text = re.compile(either or r"(?!)", re.IGNORECASE)
        self._bytes = re.compile(either.encode() or rb"(?!)", re.IGNORECASE)
        self._base64 = sorted({form for key in secrets for form in _in_base64(key)})

    def text(self, text: str) -> str:
        """Return the text without keys."""
        for form in self._base64:
            text = text.replace(form, HIDDEN)
        return self._text.sub(HIDDEN, text)

    def content(self, content: bytes) -> bytes:
        """Return the bytes without keys."""
        for form in self._base64:
            content = content.replace(form.encode(), HIDDEN.encode())
        return self._bytes.sub(HIDDEN.encode(), content)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return the pairs, such as headers, without keys in names and values."""
        return tuple((self.text(name), self.text(value)) for name, value in pairs)


def _pattern(key: str) -> str:
    r"""Return an expression for the key in which each character may be escaped.

    JSON inside JSON has several backslashes; a character may also be `\u002f` or `%2F`, and URLs
    inside URLs have `%252F` or `%25252F`.
    """
    escapes = ((re.escape(character), f"{ord(character):02x}") for character in key)
    return r"\\*".join(rf"(?:{plain}|%(?:25){{0,2}}{code}|u00{code})" for plain, code in escapes)


def _in_base64(key: str) -> Iterator[str]:
    """Yield the forms of the key within base64: they depend on the position of the key."""
    for bytes_before, shared_characters in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(bytes(bytes_before) + key.encode()).decode()
        form = encoded[shared_characters : (bytes_before + len(key.encode())) * 8 // 6]
        if len(form) >= _SHORTEST_BASE64:
            yield form
            yield form.replace("+", "-").replace("/", "_")
