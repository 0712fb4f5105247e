"""Who calls control: the sandbox of a key, or somebody who may touch all sandboxes."""

from hmac import compare_digest
from ipaddress import ip_address

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mock_server.control.gate import Gate
from mock_server.control.replies import Refused
from mock_server.domain.ports import RealClock
from mock_server.domain.store import Sandbox, Store
from mock_server.web.tenants import Tenants, bearer_token


class Access(msgspec.Struct, frozen=True):
    """What the server was told at its start about who may do what."""

    host: str
    admin_token: str | None


class Callers:
    def __init__(
        self, store: Store, tenants: Tenants, clock: RealClock, access: Access, gate: Gate
    ) -> None:
        self._store = store
        self._gate = gate
        self._tenants = tenants
        self._clock = clock
        self._access = access

    async def sandbox(self, request: Request) -> Sandbox:
        """Raise Refused (401, 403) unless the request carries a valid key (AUTH-2).

        The dashboard has no key; it names the sandbox, and the gate lets it in or not.
        """
        authorization = _authorization(request)
        named = request.headers.get("mock-sandbox") or request.query_params.get("sandbox")
        if authorization is None and named is not None:
            self._gate.check_sandbox(request, named)
            found = await self._store.find(named)
            if found is None:
                raise Refused(404, f"there is no sandbox {named[:100]!r}")
            request.state.sandbox = found
            return found
        found = await self._tenants.find(authorization, self.real_ms())
        if found is None:
            raise Refused(
                401, "send the header Authorization: Bearer <key>; the key's sandbox is meant"
            )
        request.state.sandbox = found
        return found

    def reply(self, sandbox: Sandbox, data: object) -> Response:
        """Answer with what may hold the caller's key, without it."""
        shown = self.without_key(sandbox, msgspec.json.encode(data))
        return Response(shown, media_type="application/json")

    def without_key(self, sandbox: Sandbox, shown: bytes) -> bytes:
        return self._tenants.without_key(sandbox.id, shown)

    async def of_key(self, key: str) -> Sandbox | None:
        """Return the sandbox of a key that somebody has typed; None when it is not accepted."""
        return await self._tenants.find(
            f"Bearer {key}".encode("latin-1", "replace"), self.real_ms()
        )

    def require_admin(self, request: Request) -> None:
        """Raise Refused (401, 403) unless the caller may do what concerns all sandboxes."""
        wanted = self._access.admin_token
        if wanted is None:
            self._gate.check_origin(request)  # a browser has no token to send
            if not is_loopback(self._access.host):
                raise Refused(
                    403,
                    f"closed, for the server is bound to {self._access.host} without --admin-token",
                )
            return
        given = bearer_token(_authorization(request) or b"")
        if not compare_digest(given.encode(), wanted.encode()):
            raise Refused(401, "send the header Authorization: Bearer <admin token>")

    def real_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _authorization(request: Request) -> bytes | None:
    return dict(request.headers.raw).get(b"authorization")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
