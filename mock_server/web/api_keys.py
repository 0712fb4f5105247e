"""Look up the sandbox of an API key by the `Authorization` header (AUTH-1 … AUTH-5)."""

from collections.abc import Collection, Coroutine
from hashlib import sha256
from typing import Any

import msgspec

from mock_server.domain.api_key import (
    BROKE_PREFIX,
    FORBIDDEN_PREFIX,
    INVALID_PREFIX,
    MAX_KEY_LENGTH,
)
from mock_server.domain.store import SandboxReader, Store
from mock_server.web.redaction import Redactor, bearer_token
from mock_server.web.request import Headers

_MAX_CACHED = 20_000
_MAX_CACHED_BYTES = MAX_KEY_LENGTH + 100  # A header has a scheme, a key and spaces.
_HEADERS_OF_OTHERS = {b"x-api-key": "X-API-Key", b"api-key": "Api-Key", b"apikey": "ApiKey"}


class SandboxRef(msgspec.Struct, frozen=True):
    """The sandbox of a key, and whether a new one starts without credit."""

    id: str
    is_broke: bool


class KeyProblem(msgspec.Struct, frozen=True):
    """Why a request is rejected with 401 (AUTH-2), or with 403 if it is forbidden (AUTH-5)."""

    text: str
    is_forbidden: bool


class ApiKeys:
    """Finds the sandbox of an `Authorization` header; a known header costs one dict access.

    It remembers the key of every sandbox that the store holds. The key must be redacted in texts
    that a client has sent.
    """

    def __init__(self, store: Store, accepted: Collection[str]) -> None:
        self._store = store
        self._accepted = frozenset(accepted)
        self._known: dict[bytes, SandboxRef] = {}
        self._keys: dict[str, str] = {}  # By sandbox id. They are needed to redact keys.
        self._max_keys = _MAX_CACHED

    def sandbox(
        self, raw: bytes | None, real_ms: int, *, is_checked: bool = False
    ) -> Coroutine[Any, Any, SandboxReader | None]:
        """Return the header's sandbox, or None if its key is missing, invalid or forbidden.

        For `is_checked` see `Store.open`.
        """
        found = None if raw is None else self._known.get(raw) or self._identify(raw)
        if found is None:
            return _no_sandbox()
        return self._store.open(
            found.id, is_broke=found.is_broke, real_ms=real_ms, is_checked=is_checked
        )

    def key_problem(self, headers: Headers) -> KeyProblem:
        """Return why these headers select no sandbox, and what to send instead."""
        key = bearer_token(headers.get(b"authorization", b""))
        if key.startswith(FORBIDDEN_PREFIX) and len(key) <= MAX_KEY_LENGTH:
            text = f"keys that begin with {FORBIDDEN_PREFIX} have no permission; use another key"
            return KeyProblem(text, is_forbidden=True)
        return KeyProblem(self._invalid(headers), is_forbidden=False)

    def without_key(self, sandbox_id: str, shown: bytes) -> bytes:
        """Return JSON with every form of the sandbox's key redacted."""
        return self.redactor(sandbox_id).json(shown)

    def redactor(self, sandbox_id: str) -> Redactor:
        """Return a redactor of the sandbox's key, or of none if this process has not seen it."""
        return Redactor(self._keys.get(sandbox_id, ""))

    def _invalid(self, headers: Headers) -> str:
        raw = headers.get(b"authorization")
        if raw is None:
            wrong = next((name for each, name in _HEADERS_OF_OTHERS.items() if each in headers), "")
            instead = f", not {wrong}" if wrong else ""
            return f"send the header Authorization: Bearer <key>{instead}"
        key = bearer_token(raw)
        if not key:
            return "Authorization: must be Bearer <key>, with the word Bearer and a key after it"
        if len(key) > MAX_KEY_LENGTH:
            return f"an API key must have at most {MAX_KEY_LENGTH} characters (got {len(key)})"
        if key.startswith(INVALID_PREFIX):
            return f"keys that begin with {INVALID_PREFIX} are always rejected; use another key"
        return "the server does not accept this key; it accepts those set with --api-key"

    def _identify(self, raw: bytes) -> SandboxRef | None:
        key = bearer_token(raw)
        if not key or not self._accepts(key):
            return None
        found = SandboxRef(id=sandbox_id(key), is_broke=key.startswith(BROKE_PREFIX))
        if len(raw) <= _MAX_CACHED_BYTES:
            if len(self._known) >= _MAX_CACHED:
                self._known.clear()
            self._known[raw] = found
        if len(self._keys) >= self._max_keys:
            self._forget_keys()
        self._keys[found.id] = key
        return found

    def _forget_keys(self) -> None:
        """Forget the keys of sandboxes that the store does not hold any more.

        `_known` is cleared too. So if such a sandbox is created again, its key is stored again.
        """
        self._known.clear()
        holds = self._store.holds
        self._keys = {each: key for each, key in self._keys.items() if holds(each)}
        self._max_keys = max(_MAX_CACHED, 2 * len(self._keys))

    def _accepts(self, key: str) -> bool:
        if len(key) > MAX_KEY_LENGTH or key.startswith((INVALID_PREFIX, FORBIDDEN_PREFIX)):
            return False
        return not self._accepted or key in self._accepted


async def _no_sandbox() -> None:
    return None


def sandbox_id(key: str) -> str:
    """Return the id of a key's sandbox: a hash from which the key cannot be derived."""
    return sha256(f"sandbox of {key}".encode()).hexdigest()[:16]
