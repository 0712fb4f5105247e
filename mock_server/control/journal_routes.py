"""Control of the journal of the caller's sandbox: read, count, wait, export."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.decoding import read
from mock_server.control.har import har
from mock_server.control.journal_view import entry_view
from mock_server.control.openapi.references import OperationName
from mock_server.control.queries import seconds, whole, word
from mock_server.control.replies import Refused, reply, resource
from mock_server.control.waiting import until
from mock_server.domain.journal import MAX_ENTRIES, Entry, Operation
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.store import Sandbox

Numbered = tuple[int, Entry]
DEFAULT_LIMIT = 1000
DEFAULT_TIMEOUT_S = 5.0
FILTERS = ("operation", "task", "since", "limit")


class Filters(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    operation: OperationName | None = None
    task: str | None = None
    since: Annotated[int, Meta(ge=0)] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> "Filters":
        return cls(
            operation=query.get("operation"),
            task=query.get("task"),
            since=whole(query, "since", None, 0),
            limit=whole(query, "limit", None, 1),
        )

    async def found(self, sandbox: Sandbox) -> list[Numbered]:
        """Return what passes, oldest first. Raises Refused for an unknown operation."""
        wanted = word("operation", self.operation, Operation)
        return [
            (number, entry)
            for number, entry in await sandbox.entries(self.since or 0)
            if (wanted is None or entry.operation is wanted)
            and (self.task is None or entry.task_id == self.task)
        ]

    def cut(self, found: list[Numbered]) -> list[Numbered]:
        """Keep what is asked for: the first after `since`, or else the newest."""
        limit = self.limit or DEFAULT_LIMIT
        return found[:limit] if self.since is not None else found[-limit:]


class JournalRoutes:
    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def show(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        filters = Filters.of_query(request.query_params)
        shown_as = request.query_params.get("format", "json")
        if shown_as not in {"json", "har"}:
            raise Refused(400, f"format: is unknown{did_you_mean(shown_as, ['json', 'har'])}")
        if shown_as == "har" and filters.limit is None:
            filters.limit = MAX_ENTRIES
        found = filters.cut(await filters.found(sandbox))
        if shown_as == "har":
            return self._callers.reply(sandbox, har(found))
        return await self._shown(sandbox, found)

    async def count(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        filters = await read(request, Filters)
        found = await filters.found(sandbox)
        return reply({"count": len(found[: filters.limit])})

    async def wait(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        query = request.query_params
        filters = Filters.of_query(query)
        count = whole(query, "count", 1, 1) or 1
        timeout_s = seconds(query, "timeout", DEFAULT_TIMEOUT_S)
        await filters.found(sandbox)  # an unknown operation is refused at once

        async def look() -> tuple[list[Numbered], bool]:
            found = await filters.found(sandbox)
            return found, len(found) >= count

        found, holds = await until(sandbox, look, timeout_s)
        if holds:
            return await self._shown(sandbox, filters.cut(found))
        seen = await self._shown(sandbox, filters.cut(found))
        raise Refused(
            408,
            f"{len(found)} of {count} entries within {timeout_s:g} s",
            msgspec.json.decode(seen.body),
        )

    def routes(self) -> list[Route]:
        return [
            resource("/_mock/journal", query=(*FILTERS, "format"), GET=self.show),
            resource("/_mock/journal/count", POST=self.count),
            resource("/_mock/journal/wait", query=(*FILTERS, "count", "timeout"), GET=self.wait),
        ]

    async def _shown(self, sandbox: Sandbox, found: list[Numbered]) -> Response:
        counters = await sandbox.counters(self._callers.real_ms())
        view: dict[str, Any] = {
            "entries": [entry_view(*each) for each in found],
            "dropped": counters.journal_dropped,
        }
        return self._callers.reply(sandbox, view)
