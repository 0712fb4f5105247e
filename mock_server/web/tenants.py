"""From the `Authorization` header to the sandbox of its key (AUTH-1 … AUTH-4)."""

from collections.abc import Collection
from hashlib import sha256

from mock_server.domain.store import Sandbox, Store
from mock_server.web.redaction import Redactor

INVALID_PREFIX = "sk-invalid"  # keys that are always refused
BROKE_PREFIX = "sk-broke"  # keys without credit (SUB-17)
_MAX_CACHED = 20_000


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
        return Redactor(self._keys.get(sandbox_id, "")).json(shown)

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
