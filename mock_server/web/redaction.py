"""Redact API keys in everything that is shown or stored."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

Header = tuple[bytes, bytes]

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_BEARER = re.compile(r"\s*bearer\s+(\S+)\s*", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")  # Such a key has one form, unless it is percent-encoded.
_SHORTEST_KEY = 8  # A shorter key may be part of an unrelated word.


class Redactor:
    """Redacts one API key, and the values of all headers that contain secrets."""

    def __init__(self, key: str = "") -> None:
        self._whole_key = key
        self._key = key if len(key) >= _SHORTEST_KEY else ""
        self._bytes = self._key.encode("latin-1", "replace")
        self._is_plain = _PLAIN.fullmatch(self._key) is not None

    @classmethod
    def of_request(cls, headers: Iterable[Header]) -> "Redactor":
        """Return a redactor for the API key in the headers of a request."""
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
        """Return valid JSON with the key redacted.

        The key can be percent-encoded, or escaped as JSON once or twice (JSON in a string). The
        longest form is replaced first, so that no incomplete escape sequence remains.
        """
        if not self._key:
            return shown
        for form in _escaped(self._key):
            shown = shown.replace(form, REDACTED.encode())
        return _percent_encoded(self._key).sub(REDACTED.encode(), shown)

    def everywhere(self, raw: bytes) -> bytes:
        """Return a part of a message with every form of the key redacted."""
        return self.json(self.raw(raw)) if self.may_be_in(raw) else raw

    def may_be_in(self, raw: bytes) -> bool:
        """Return False only if no form of the key is in a part of a message."""
        if not self._key:
            return False
        return not self._is_plain or self._bytes in raw or b"%" in raw

    def headers_everywhere(self, headers: Iterable[Header]) -> tuple[Header, ...]:
        """Return headers without secrets, and with every form of the key redacted."""
        return tuple(
            (
                self.everywhere(name.encode("latin-1")),
                self.everywhere(value.encode("latin-1")),
            )
            for name, value in self.headers(headers)
        )

    def condition(self, header: Header) -> Header:
        """Return a header without the key. Different headers stay different."""
        name, value = header
        key = self._whole_key
        if key and name == b"authorization" and bearer_token(value) == key:
            # Here a key is removed even if it is short.
            return name, value.rstrip()[: -len(key)] + REDACTED.encode()
        return name, self.raw(value)

    def _value(self, name: str, value: str) -> str:
        if name.lower() not in _SECRET_HEADERS:
            return self.text(value)
        return f"Bearer {REDACTED}" if _BEARER.match(value) else REDACTED


@lru_cache(maxsize=100)
def _escaped(key: str) -> list[bytes]:
    """Return the forms that a key can have in JSON, the longest first."""
    forms = {quote(key, safe=""), quote_plus(key)}
    for is_ascii in (False, True):
        once = json.dumps(key, ensure_ascii=is_ascii)[1:-1]
        forms |= {once, json.dumps(once, ensure_ascii=is_ascii)[1:-1]}
    return sorted((form.encode() for form in forms), key=len, reverse=True)


@lru_cache(maxsize=100)
def _percent_encoded(key: str) -> re.Pattern[bytes]:
    """Return a pattern for the key with any of its bytes percent-encoded.

    A quotation mark and a backslash must be percent-encoded, because JSON would escape them.
    """
    parts = []
    for byte in key.encode():
        raw = b"" if byte in b'"\\' else re.escape(bytes([byte])) + b"|"
        parts.append(b"(?:%b%%%02x|%%%02X)" % (raw, byte, byte))
    return re.compile(b"".join(parts))


def bearer_token(raw: bytes) -> str:
    """Return the token of a bearer header, or an empty string (AUTH-3)."""
    scheme, _, token = raw.decode("latin-1").strip().partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""
