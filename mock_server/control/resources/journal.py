"""The journal of the caller's sandbox: list, count, wait, export."""

from array import array
from bisect import bisect_right
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request

from mock_server.control.answers import Count
from mock_server.control.call import Call
from mock_server.control.errors import Detail, WaitTimeout
from mock_server.control.har import HarArchive, long_har
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.long_list import long_list
from mock_server.control.query import Timeout
from mock_server.control.slices import Slices
from mock_server.control.waiting import until
from mock_server.domain.events import Change, Notice, Recorded
from mock_server.domain.journal import MAX_ENTRIES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.store import SandboxReader, Store

DEFAULT_LIMIT = 1000
_EXAMINED_AT_ONCE = 1000

Numbered = tuple[int, Entry]


class JournalFilter(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    operation: Operation | None = None
    task: Annotated[str, Meta(description="Id of a task.")] | None = None
    since: Annotated[int, Meta(ge=0, description="Only entries after this `seq`.")] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None

    def found(self, sandbox: SandboxReader) -> list[Numbered]:
        """Return the matching entries, oldest first, whatever the limit."""
        entries = sandbox.entries(self.since or 0)
        return [(number, entry) for number, entry in entries if self.fits(entry)]

    def fits(self, entry: Entry) -> bool:
        """Return whether an entry matches, whatever its number."""
        return (self.operation is None or entry.operation is self.operation) and (
            self.task is None or entry.task_id == self.task
        )


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


class EntriesMatch:
    """The condition that enough entries match. Each entry is examined once."""

    def __init__(self, query: JournalWait) -> None:
        self._query = query
        self._matches = array("q")  # Their numbers. A thousand waits may have 10,000 each.
        self._examined = query.since or 0  # The number of the last entry that was examined.

    def examine_more(self, sandbox: SandboxReader) -> bool:
        """Examine some entries in a millisecond or two. Return whether there are more."""
        entries = sandbox.entries(self._examined)
        for number, entry in entries[:_EXAMINED_AT_ONCE]:
            self._examine(number, entry)
        return len(entries) > _EXAMINED_AT_ONCE

    def look(self, sandbox: SandboxReader) -> tuple[int, bool]:
        """Return the number of entries in the journal that match, at most `count`."""
        for number, entry in sandbox.entries(self._examined):
            self._examine(number, entry)
        del self._matches[: bisect_right(self._matches, sandbox.dropped_entries)]
        return len(self._matches), len(self._matches) >= self._query.count

    def is_about(self, notice: Notice) -> bool:
        if notice is Change.DROPPED or notice is Change.REMOVED:  # Numbers begin again.
            del self._matches[:]
            self._examined = self._query.since or 0
        if not isinstance(notice, Recorded):
            return False
        if notice.number != self._examined + 1:
            return True
        self._examine(notice.number, notice.entry)
        return len(self._matches) >= self._query.count

    def next_s(self, _: SandboxReader) -> None:
        return None

    def _examine(self, number: int, entry: Entry) -> None:
        self._examined = number
        if self._query.fits(entry):
            self._matches.append(number)
            if len(self._matches) > min(self._query.count, MAX_ENTRIES):
                del self._matches[0]


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
        await Slices().next()
        found = query.found(sandbox)
        if query.format == "har":
            entries = query.cut(found, MAX_ENTRIES)
            return long_har((JournalEntry.of(*each) for each in entries), self._scheme)
        return _page(sandbox, query.cut(found))

    async def count(self, sandbox: SandboxReader, body: JournalFilter) -> EntryCount:
        await Slices().next()
        return EntryCount(count=len(body.found(sandbox)[: body.limit]))

    async def wait(
        self, sandbox: SandboxReader, query: JournalWait, request: Request
    ) -> JournalPage:
        condition = EntriesMatch(query)
        slices = Slices()
        await slices.next()
        while condition.examine_more(sandbox):
            await slices.pause()
        ended = await until(self._store, sandbox, condition, query.timeout_s, request)
        await slices.next()
        page = _page(sandbox, query.cut(query.found(sandbox)))
        if ended.is_met:
            return page
        raise WaitTimeout(
            f"count: {ended.seen} of {query.count} entries after {round(ended.waited_s, 3):g} s",
            JournalTimeout,
            page,
        )


def _page(sandbox: SandboxReader, found: list[Numbered]) -> JournalPage:
    return JournalPage(
        entries=long_list(JournalEntry.of(*each) for each in found),
        dropped=sandbox.dropped_entries,
    )
