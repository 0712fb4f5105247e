"""The ASGI entry point, which finds the endpoint of each path."""

import asyncio
import logging
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.domain.store import SandboxReader
from mock_server.lifecycle import Lifecycle
from mock_server.web.paths import RESULTS_PREFIX
from mock_server.web.pipeline import Endpoint, Pipeline
from mock_server.web.request_checks import RequestChecks
from mock_server.web.responder import Responder

log = logging.getLogger("mock_server")


class FrontDoor:
    """Sends the provider's paths through the pipeline, and everything else to the router.

    `endpoints` are found by path; `unknown_models` by the prefix of their paths.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        responder: Responder,
        checks: RequestChecks,
        *,
        endpoints: Mapping[str, Endpoint],
        unknown_models: Mapping[str, Endpoint],
        results: Endpoint,
        router: ASGIApp,
        lifecycle: Lifecycle,
    ) -> None:
        self._pipeline = pipeline
        self._responder = responder
        self._checks = checks
        self._endpoints = endpoints
        self._unknown_models = unknown_models
        self._results = results
        self._router = router
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifecycle.run(receive, send)
            return
        rejection = self._checks.rejection(scope)
        if rejection is not None:
            await self._responder.send(send, rejection)
            return
        endpoint = self._endpoints.get(scope["path"]) or self._by_prefix(scope["path"])
        try:
            if endpoint is None:
                await self._route(scope, receive, send)
            else:
                await self._pipeline.run(endpoint, scope, receive, send)
        except asyncio.CancelledError:
            if self._lifecycle.not_ready is None:
                raise
            log.warning("a request was cancelled: %s", self._lifecycle.not_ready)

    def _by_prefix(self, path: str) -> Endpoint | None:
        if path.startswith(RESULTS_PREFIX):
            return self._results
        for prefix, endpoint in self._unknown_models.items():
            if path.startswith(prefix) and path != prefix and "/" not in path[len(prefix) :]:
                return endpoint
        return None

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the router respond; add a `Date` header with the time of the request's sandbox."""
        scope.setdefault("state", {})

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now_ms = real_ms = self._responder.now_ms()
                sandbox: SandboxReader | None = scope["state"].get("sandbox")
                if sandbox is not None:
                    now_ms = sandbox.clock(real_ms).now_ms
                # A new message, because the router may send the same one again.
                headers = [*message["headers"], self._responder.date(now_ms)]
                message = {**message, "headers": headers}
            await send(message)

        await self._router(scope, receive, send_dated)
