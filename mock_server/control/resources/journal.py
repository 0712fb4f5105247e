"""The journal of the caller's sandbox: list, count, wait, export."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mock_server.control.answers import Count
from mock_server.control.call import Call
from mock_server.control.errors import Detail, WaitTimeout
from mock_server.control.har import HarArchive, har
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.query import Timeout
from mock_server.control.waiting import until
from mock_server.domain.journal import MAX_ENTRIES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.store import SandboxReader, Store

DEFAULT_LIMIT = 1000

Numbered = tuple[int, Entry]


class JournalFilter(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    operation: Operation | None = None
    task: Annotated[str, Meta(description="Id of a task.")] | None = None
    since: Annotated[int, Meta(ge=0, description="Only entries after this `seq`.")] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None

    def found(self, sandbox: SandboxReader) -> list[Numbered]:
        """Return the matching entries, oldest first, whatever the limit."""
        return [
            (number, entry)
            for number, entry in sandbox.entries(self.since or 0)
            if (self.operation is None or entry.operation is self.operation)
            and (self.task is None or entry.task_id == self.task)
        ]


class PageQuery(JournalFilter, kw_only=True):
    limit: Annotated[int, Meta(ge=1, extra_json_schema={"default": DEFAULT_LIMIT})] | None = None

    def cut(self, found: list[Numbered], default_limit: int = DEFAULT_LIMIT) -> list[Numbered]:
        """Return the first entries after `since`, or the newest ones without it."""
        limit = self.limit or default_limit
        return found[:limit] if self.since is not None else found[-limit:]


class JournalQuery(PageQuery, kw_only=True):
    format: Literal["json", "har"] = "json"


class JournalWait(PageQuery, kw_only=True):
    count: Annotated[int, Meta(ge=1)] = 1
    timeout_s: Timeout = msgspec.field(name="timeout", default=5.0)


class JournalPage(msgspec.Struct, kw_only=True):
    entries: list[JournalEntry]
    dropped: Count


class JournalTimeout(JournalPage, kw_only=True):
    """An error together with the entries found so far."""

    code: int
    message: str
    data: Detail


class EntryCount(msgspec.Struct):
    count: Count


class JournalResource:
    def __init__(self, store: Store, scheme: str) -> None:
        self._store = store
        self._scheme = scheme

    def calls(self) -> list[Call]:
        return [
            Call(
                "GET",
                "/_mock/journal",
                self.show,
                "List exchanges: the first ones after `since`, or the newest ones without it",
            ),
            Call("POST", "/_mock/journal/count", self.count, "Count the exchanges that match"),
            Call(
                "GET",
                "/_mock/journal/wait",
                self.wait,
                "Wait until `count` exchanges match, and list them",
                timeout_answer=JournalTimeout,
            ),
        ]

    async def show(self, sandbox: SandboxReader, query: JournalQuery) -> JournalPage | HarArchive:
        found = query.found(sandbox)
        if query.format == "har":
            entries = query.cut(found, MAX_ENTRIES)
            return har((JournalEntry.of(*each) for each in entries), self._scheme)
        return _page(sandbox, query.cut(found))

    async def count(self, sandbox: SandboxReader, body: JournalFilter) -> EntryCount:
        return EntryCount(count=len(body.found(sandbox)[: body.limit]))

    async def wait(self, sandbox: SandboxReader, query: JournalWait) -> JournalPage:
        def check(sandbox: SandboxReader) -> tuple[list[Numbered], bool]:
            found = query.found(sandbox)
            return found, len(found) >= query.count

        found, is_met = await until(self._store, sandbox, check, query.timeout_s)
        page = _page(sandbox, query.cut(found))
        if is_met:
            return page
        raise WaitTimeout(
            f"count: {len(found)} of {query.count} entries after {query.timeout_s:g} s",
            JournalTimeout,
            page,
        )


def _page(sandbox: SandboxReader, found: list[Numbered]) -> JournalPage:
    return JournalPage(
        entries=[JournalEntry.of(*each) for each in found], dropped=sandbox.dropped_entries
    )
