"""Authenticate callers of the control plane: by API key, dashboard session or admin token."""

from collections.abc import Callable
from hmac import compare_digest

from starlette.requests import Request

from mock_server.control.browser_guard import BrowserGuard
from mock_server.control.errors import ControlError
from mock_server.domain.addresses import is_loopback
from mock_server.domain.errors import SandboxDamaged, quoted
from mock_server.domain.store import SandboxReader, Store
from mock_server.web.api_keys import ApiKeys
from mock_server.web.redaction import Redactor, bearer_token


class Authenticator:
    """Finds the caller's sandbox and checks admin rights.

    `host` and `admin_token` are settings of the server; `real_ms` reads the real clock.
    """

    def __init__(
        self,
        store: Store,
        api_keys: ApiKeys,
        guard: BrowserGuard,
        *,
        real_ms: Callable[[], int],
        host: str,
        admin_token: str | None,
    ) -> None:
        self._store = store
        self._api_keys = api_keys
        self._guard = guard
        self._real_ms = real_ms
        self._host = host
        self._admin_token = admin_token

    async def sandbox(self, request: Request) -> SandboxReader:
        """Return the caller's sandbox and store it and its id in the state of the request.

        The dashboard has no key: it names the sandbox, and the guard checks its session. Raise
        ControlError (401, 403, 404) without a valid key (AUTH-2) or a sandbox that it may see.
        """
        authorization = _authorization(request)
        named = request.headers.get("mock-sandbox") or request.query_params.get("sandbox")
        if authorization is None and named is not None:
            self._guard.check_sandbox(request, named)
            found = await self._store.read(named)
            if found is None:
                raise ControlError(404, f"sandbox: {quoted(named)} does not exist")
        else:
            found = await self._api_keys.sandbox(authorization, self._real_ms())
            if found is None:
                problem = self._api_keys.key_problem(dict(request.headers.raw))
                status = 403 if problem.is_forbidden else 401
                raise ControlError(status, f"{problem.text}; the key selects the sandbox")
        request.state.sandbox = found
        request.state.sandbox_id = found.id
        return found

    async def sandbox_id(self, request: Request) -> str:
        """Return the id of the caller's sandbox, even if the store cannot read the sandbox.

        The errors are those of `sandbox`.
        """
        try:
            return (await self.sandbox(request)).id
        except SandboxDamaged as error:
            request.state.sandbox_id = error.sandbox_id
            return error.sandbox_id

    async def sandbox_of_key(self, key: str) -> SandboxReader | None:
        """Return the sandbox of a key that was entered in a form; None if the key is invalid."""
        return await self._api_keys.sandbox(
            f"Bearer {key}".encode("latin-1", "replace"), self._real_ms()
        )

    def require_admin(self, request: Request) -> None:
        """Raise ControlError (401, 403) unless the caller may act on all sandboxes."""
        if self._admin_token is None:
            self._guard.check_origin(request)  # Without a token, any web page could call this.
            if not is_loopback(self._host):
                raise ControlError(
                    403,
                    f"admin calls are disabled because the server listens on {self._host};"
                    " start it with --admin-token to enable them",
                )
        elif not self.is_admin_token(bearer_token(_authorization(request) or b"")):
            raise ControlError(401, "send the header Authorization: Bearer <admin token>")

    @property
    def has_admin_token(self) -> bool:
        return self._admin_token is not None

    def is_admin_token(self, given: str) -> bool:
        """Return whether this is the admin token. It is always False if none is set."""
        wanted = self._admin_token
        return wanted is not None and compare_digest(given.encode(), wanted.encode())

    def without_key(self, sandbox_id: str, shown: bytes) -> bytes:
        """Return JSON in which the API key of this sandbox is redacted."""
        return self._api_keys.without_key(sandbox_id, shown)

    def redactor(self, sandbox: SandboxReader) -> Redactor:
        """Return a redactor of the sandbox's key."""
        return self._api_keys.redactor(sandbox.id)


def _authorization(request: Request) -> bytes | None:
    return dict(request.headers.raw).get(b"authorization")
