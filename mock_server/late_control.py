"""The control plane, imported after the server has started.

Its modules and Starlette take as long to import as everything that the provider's endpoints need.
"""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final

from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from mock_server.control_wiring import ControlPlane

_DELAY_S: Final = 0.1
# Each import blocks the event loop for a few milliseconds. The last one includes all others.
_STEPS: Final = (
    "http.client",
    "anyio.to_thread",
    "starlette.datastructures",
    "starlette.responses",
    "starlette.middleware.errors",
    "starlette.applications",
    "mock_server.control.call",
    "mock_server.control.settings_types",
    "mock_server.control.resources.audit",
    "mock_server.control.dashboard.pages",
    "mock_server.control.resources.tasks",
    "mock_server.control_wiring",
)
_PROBES: Final = {"/_mock/health", "/_mock/ready"}
_OK: Final = b'{"status":"ok"}'
_OK_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-length", b"%d" % len(_OK)),
        (b"content-type", b"application/json"),
    ],
}


class LateControl:
    """Serves the control plane. The first request that needs it creates it, unless it exists.

    Programs that start a server wait for the response to a probe, so a probe does not create it.
    """

    def __init__(
        self, make: Callable[[], "ControlPlane"], why_not_ready: Callable[[], str | None]
    ) -> None:
        self._make = make
        self._why_not_ready = why_not_ready
        self._plane: ControlPlane | None = None
        self._is_closed = False
        self.loading: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._plane is None and self._is_positive_probe(scope):
            await send(_OK_START)
            await send({"type": "http.response.body", "body": _OK})
            return
        await self.plane().app(scope, receive, send)

    def plane(self) -> "ControlPlane":
        """Return the control plane. Create it if it does not exist yet."""
        plane = self._plane
        if plane is None:
            plane = self._plane = self._make()
            if self._is_closed:
                plane.close()
        return plane

    def load_soon(self) -> None:
        """Import the control plane step by step, between the requests of the first seconds.

        Otherwise, the first request of a control call would block all others for longer.
        """
        self.loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        await asyncio.sleep(_DELAY_S)  # Clients that waited for the start are served first.
        for name in _STEPS:
            import_module(name)
            await asyncio.sleep(0)
        self.plane()

    def close(self) -> None:
        """End all event streams and reject new ones. Any thread may call this."""
        self._is_closed = True
        plane = self._plane
        if plane is not None:
            plane.close()

    def _is_positive_probe(self, scope: Scope) -> bool:
        return (
            scope["path"] in _PROBES
            and scope["method"] == "GET"
            and not scope["query_string"]
            and (scope["path"] == "/_mock/health" or self._why_not_ready() is None)
        )
