"""The server as a whole: health, readiness, settings, metrics, and its OpenAPI document."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mock_server.control.all_counters import all_counters
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.settings_types import ShownServerSettings
from mock_server.domain.store import Store


class Health(msgspec.Struct):
    status: Literal["ok"]


class Info(msgspec.Struct):
    version: str
    base_url: str
    seed: int
    settings: ShownServerSettings
    profile: str


class ServerResource:
    def __init__(
        self,
        store: Store,
        *,
        real_ms: Callable[[], int],
        info: Callable[[], Info],
        document: Callable[[Request], dict[str, Any]],
        why_not_ready: Callable[[], str | None],
    ) -> None:
        self._store = store
        self._real_ms = real_ms
        self._info = info
        self._document = document
        self._why_not_ready = why_not_ready

    def calls(self) -> list[Call]:
        return [
            Call(
                "GET",
                "/_mock/health",
                self.health,
                "Report that the server is alive",
                caller="anyone",
            ),
            Call(
                "GET",
                "/_mock/ready",
                self.ready,
                "Report whether the server is ready",
                caller="anyone",
                rejects=(503,),
            ),
            Call(
                "GET",
                "/_mock/info",
                self.info,
                "Show version, address, seed and settings of the server",
                caller="anyone",
            ),
            Call(
                "GET", "/_mock/openapi.json", self.openapi, "Return this document", caller="anyone"
            ),
            Call(
                "GET",
                "/_mock/metrics",
                self.metrics,
                "Return metrics in the text format of Prometheus",
                caller="anyone",
                answer=str,
                media_type="text/plain",
            ),
        ]

    async def health(self) -> Health:
        return Health(status="ok")

    async def ready(self) -> Health:
        reason = self._why_not_ready()
        if reason is not None:
            raise ControlError(503, reason)
        return Health(status="ok")

    async def info(self) -> Info:
        return self._info()

    async def openapi(self, request: Request) -> dict[str, Any]:
        return self._document(request)

    async def metrics(self) -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST  # noqa: PLC0415  # slow to import, rarely used

        from mock_server.control.metrics import exposition  # noqa: PLC0415  # As above.

        sandboxes = await self._store.sandboxes()
        live_tasks = journal_bytes = 0
        async for _, counters in all_counters(self._store, sandboxes, self._real_ms()):
            live_tasks += counters.live_tasks
            journal_bytes += counters.journal_bytes
        metrics = await self._store.total_metrics()
        text = exposition(metrics, len(sandboxes), live_tasks, journal_bytes)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})
