"""Takes an API key out of whatever is shown or written down."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

Header = tuple[bytes, bytes]

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_BEARER = re.compile(r"\s*bearer\s+(\S+)\s*", re.IGNORECASE)
_SHORTEST_KEY = 8  # a shorter key would be found in words that have nothing to do with it


class Redactor:
    """Takes one key out. The values of headers that carry secrets go whole, whatever the key."""

    def __init__(self, key: str = "") -> None:
        self._key = key if len(key) >= _SHORTEST_KEY else ""

    @classmethod
    def of_request(cls, headers: Iterable[Header]) -> "Redactor":
        """Return the redactor of the key that a request carries."""
        for name, value in headers:
            found = _BEARER.fullmatch(value.decode("latin-1")) if name == b"authorization" else None
            if found and len(found[1]) >= _SHORTEST_KEY:
                return cls(found[1])
        return cls()

    def text(self, text: str) -> str:
        return text.replace(self._key, REDACTED) if self._key else text

    def raw(self, raw: bytes) -> bytes:
        return self.text(raw.decode("latin-1")).encode("latin-1")

    def headers(self, headers: Iterable[Header]) -> list[tuple[str, str]]:
        named = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        return [(name, self._value(name, value)) for name, value in named]

    def json(self, shown: bytes) -> bytes:
        """Return JSON without the key: escaped for JSON twice and once, and for a URL.

        The longest form goes first, and the key is never searched unescaped: the JSON stays whole.
        """
        if not self._key:
            return shown
        once = json.dumps(self._key, ensure_ascii=False)[1:-1]
        twice = json.dumps(once, ensure_ascii=False)[1:-1]
        for form in (twice, once, quote(self._key, safe=""), quote_plus(self._key)):
            shown = shown.replace(form.encode(), REDACTED.encode())
        return _percent_encoded(self._key).sub(REDACTED.encode(), shown)

    def _value(self, name: str, value: str) -> str:
        if name.lower() not in _SECRET_HEADERS:
            return self.text(value)
        return f"Bearer {REDACTED}" if _BEARER.match(value) else REDACTED


@lru_cache(maxsize=100)
def _percent_encoded(key: str) -> re.Pattern[bytes]:
    """Match the key with any of its bytes percent-encoded; what JSON escapes must be."""
    parts = []
    for byte in key.encode():
        raw = b"" if byte in b'"\\' else re.escape(bytes([byte])) + b"|"
        parts.append(b"(?:%b%%%02x|%%%02X)" % (raw, byte, byte))
    return re.compile(b"".join(parts))
