"""Redact API keys in everything that is shown or stored."""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from mock_server.domain.api_key import PREFIXES
from mock_server.web.key_forms import KeyForms

REDACTED = "[redacted]"

Header = tuple[bytes, bytes]

_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
_BEARER = re.compile(r"\s*bearer\s+(\S+)\s*", re.IGNORECASE)
_SHORTEST_KEY = 8  # A shorter key may be part of an unrelated word.


class Redactor:
    """Redacts one API key, and the values of all headers that contain secrets."""

    def __init__(self, key: str = "") -> None:
        self._whole_key = key
        self._key = key if len(key) >= _SHORTEST_KEY else ""

    @classmethod
    def of_request(cls, headers: Iterable[Header]) -> "Redactor":
        """Return a redactor for the API key in the headers of a request.

        A key that is only a prefix with a meaning is no secret, and errors name this prefix.
        """
        for name, value in headers:
            found = _BEARER.fullmatch(value.decode("latin-1")) if name == b"authorization" else None
            if found and len(found[1]) >= _SHORTEST_KEY and found[1] not in PREFIXES:
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

        `KeyForms` lists the forms of the key that are found.
        """
        if not self._key:
            return shown
        return self._forms.removed(shown, REDACTED.encode(), is_json=True)

    def everywhere(self, raw: bytes) -> bytes:
        """Return a part of a message with every form of the key redacted."""
        if not self.may_be_in(raw):
            return raw
        return self._forms.removed(raw, REDACTED.encode())

    def may_be_in(self, raw: bytes, sent_bytes: int | None = None) -> bool:
        """Return False only if no form of the key is in a part of a message.

        For `sent_bytes` see `KeyForms`. By default, a client has sent everything.
        """
        if not self._key:
            return False
        return self._forms.may_be_in(raw, len(raw) if sent_bytes is None else sent_bytes)

    @cached_property
    def _forms(self) -> KeyForms:
        return _forms_of(self._key)

    def sentence(self, text: str) -> str:
        """Return a text for people with every form of the key redacted."""
        return self.everywhere(text.encode(errors="replace")).decode(errors="replace")

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
def _forms_of(key: str) -> KeyForms:
    return KeyForms(key)


def bearer_token(raw: bytes) -> str:
    """Return the token of a bearer header, or an empty string (AUTH-3)."""
    scheme, _, token = raw.decode("latin-1").strip().partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""
