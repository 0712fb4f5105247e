"""From the `Authorization` header to the sandbox of its key (AUTH-1 … AUTH-4)."""

import json
import re
from collections.abc import Collection
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, quote_plus

from mock_server.domain.store import Sandbox, Store

INVALID_PREFIX = "sk-invalid"  # keys that are always refused
BROKE_PREFIX = "sk-broke"  # keys without credit (SUB-17)
_MAX_CACHED = 20_000
_MANY_CHARS = 8  # a key of fewer would be found in words that have nothing to do with it


class Tenants:
    """One dict look-up from the raw header to the sandbox once a key has been seen."""

    def __init__(self, store: Store, api_keys: Collection[str]) -> None:
        self._store = store
        self._api_keys = frozenset(api_keys)
        self._known: dict[bytes | None, Sandbox] = {}
        self._keys: dict[str, str] = {}  # by sandbox, so that a key is hidden wherever it stands

    def known(self, raw: bytes | None) -> Sandbox | None:
        """Return the sandbox that an `Authorization` header means, if it has been seen before."""
        sandbox = self._known.get(raw)
        return None if sandbox is None or sandbox.is_dropped else sandbox

    async def find(self, raw: bytes | None, real_ms: int) -> Sandbox | None:
        """Return the sandbox that the header means; None when its key is missing or invalid."""
        known = self.known(raw)
        if known is not None or raw is None:
            return known
        key = bearer_token(raw)
        if not key or not self._accepts(key):
            return None
        sandbox = await self._store.sandbox(
            sandbox_id(key), is_broke=key.startswith(BROKE_PREFIX), real_ms=real_ms
        )
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()
            self._keys.clear()
        self._known[raw] = sandbox
        self._keys[sandbox.id] = key
        return sandbox

    def without_key(self, sandbox_id: str, shown: bytes) -> bytes:
        """Return JSON in which the key of a sandbox does not stand, however it is written."""
        key = self._keys.get(sandbox_id, "")
        return hidden(key, shown) if len(key) >= _MANY_CHARS else shown

    def _accepts(self, key: str) -> bool:
        if key.startswith(INVALID_PREFIX):
            return False
        return not self._api_keys or key in self._api_keys


def bearer_token(raw: bytes) -> str:
    """Return the token of a bearer header, empty when there is none (AUTH-3)."""
    scheme, _, token = raw.decode("latin-1").strip().partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


def sandbox_id(key: str) -> str:
    """Return the name of a key's sandbox: a hash, never the key."""
    return sha256(f"sandbox of {key}".encode()).hexdigest()[:16]


def hidden(key: str, shown: bytes) -> bytes:
    """Replace a key in JSON: escaped for JSON twice and once, and for a URL.

    The longest goes first, and a key is never taken unescaped, so that the JSON stays whole.
    """
    once = json.dumps(key, ensure_ascii=False)[1:-1]
    twice = json.dumps(once, ensure_ascii=False)[1:-1]
    for form in (twice, once, quote(key, safe=""), quote_plus(key)):
        shown = shown.replace(form.encode(), b"[redacted]")
    return _percent_encoded(key).sub(b"[redacted]", shown)


@lru_cache(maxsize=100)
def _percent_encoded(key: str) -> re.Pattern[bytes]:
    """Match the key with any of its bytes percent-encoded; what JSON escapes must be."""
    parts = []
    for byte in key.encode():
        raw = b"" if byte in b'"\\' else re.escape(bytes([byte])) + b"|"
        parts.append(b"(?:%b%%%02x|%%%02X)" % (raw, byte, byte))
    return re.compile(b"".join(parts))
