"""Control of the server as a whole: health, ready, info, its document, all sandboxes."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.replies import Refused, reply, resource
from mock_server.control.views import counters_view
from mock_server.domain.store import Store


class ServerRoutes:
    def __init__(
        self,
        store: Store,
        callers: Callers,
        *,
        drop_all: Callable[[], Awaitable[None]],
        info: Callable[[], dict[str, Any]],
        document: Callable[[], dict[str, Any]],
        why_not_ready: Callable[[], str | None],
    ) -> None:
        self._store = store
        self._callers = callers
        self._drop_all = drop_all
        self._info = info
        self._document = document
        self._why_not_ready = why_not_ready

    async def health(self, _: Request) -> Response:
        return reply({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        reason = self._why_not_ready()
        if reason is not None:
            raise Refused(503, reason)
        return reply({"status": "ok"})

    async def info(self, _: Request) -> Response:
        return reply(self._info())

    async def openapi(self, _: Request) -> Response:
        return reply(self._document())

    async def sandboxes(self, request: Request) -> Response:
        self._callers.require_admin(request)
        real_ms = self._callers.real_ms()
        shown = [
            {"id": sandbox.id, "counters": counters_view(await sandbox.counters(real_ms))}
            for sandbox in await self._store.sandboxes()
        ]
        return reply({"sandboxes": shown})

    async def drop_sandboxes(self, request: Request) -> Response:
        self._callers.require_admin(request)
        await self._drop_all()
        return Response(status_code=204)

    async def metrics(self, _: Request) -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST  # noqa: PLC0415  # few ask for it

        from mock_server.control.metrics import exposition  # noqa: PLC0415  # as above

        sandboxes = await self._store.sandboxes()
        real_ms = self._callers.real_ms()
        live = sum([(await sandbox.counters(real_ms)).live_tasks for sandbox in sandboxes])
        told = exposition(self._store.tally, len(sandboxes), live)
        return Response(told, headers={"content-type": CONTENT_TYPE_LATEST})

    def routes(self) -> list[Route]:
        return [
            resource("/_mock/health", GET=self.health),
            resource("/_mock/ready", GET=self.ready),
            resource("/_mock/info", GET=self.info),
            resource("/_mock/openapi.json", GET=self.openapi),
            resource("/_mock/metrics", GET=self.metrics),
            resource("/_mock/sandboxes", GET=self.sandboxes, DELETE=self.drop_sandboxes),
        ]
