"""Faults and outcomes that are queued for the next requests or callbacks of a sandbox."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.long_list import long_list
from mock_server.control.references import MatchOfNext, MatchOfRule, WrittenApply
from mock_server.control.rule_reader import RuleReader
from mock_server.domain.commands import CancelNext, PushNext
from mock_server.domain.errors import quoted
from mock_server.domain.rule_book import MAX_NEXT, QueuedRule
from mock_server.domain.rule_grammar import Match, NextMatch
from mock_server.domain.store import SandboxReader, Store

COUNTED = [name for name in Match.__struct_fields__ if name not in NextMatch.__struct_fields__]


class Next(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    apply: WrittenApply
    match: MatchOfNext = None
    count: Annotated[int, Meta(ge=1, le=MAX_NEXT)] = 1


class CancelQuery(msgspec.Struct):
    id: Annotated[str, Meta(description="Id of a queued rule. Default: all of them.")] | None = None


class QueuedRuleView(msgspec.Struct):
    id: str
    match: MatchOfRule
    apply: WrittenApply
    count: Annotated[int, Meta(ge=1, description="The number of times that it will still apply.")]

    @classmethod
    def of(cls, queued: QueuedRule) -> "QueuedRuleView":
        return cls(id=queued.id, **queued.definition.written, count=queued.left)


class RuleQueue(msgspec.Struct):
    next: list[QueuedRuleView]


class NextResource:
    def __init__(self, store: Store, reader: RuleReader, *, real_ms: Callable[[], int]) -> None:
        self._store = store
        self._real_ms = real_ms
        self._reader = reader

    def calls(self) -> list[Call]:
        path = "/_mock/next"
        return [
            Call("GET", path, self.show, "List the queued rules"),
            Call(
                "POST",
                path,
                self.add,
                "Queue a rule for the next matching requests or callbacks; it precedes all others."
                " The response has this rule only",
            ),
            Call(
                "DELETE",
                path,
                self.cancel,
                "Cancel one queued rule, or all of them",
                rejects=(404,),
            ),
        ]

    async def show(self, sandbox: SandboxReader) -> RuleQueue:
        return RuleQueue(next=long_list(map(QueuedRuleView.of, sandbox.queue())))

    async def add(self, sandbox: SandboxReader, body: Next) -> RuleQueue:
        definition = self._reader.read(sandbox, {"match": body.match, "apply": body.apply}, "")
        for name in COUNTED:
            if name in definition.written["match"]:
                raise ControlError(400, f"match.{name}: is not allowed in next; use count")
        queue = sandbox.queue()
        if len(queue) >= MAX_NEXT:
            raise ControlError(400, f"next: the queue is full ({MAX_NEXT} entries)")
        self._reader.check_weight([*(each.definition for each in queue), definition], "next")
        push = PushNext(real_ms=self._real_ms(), definition=definition, count=body.count)
        queued = await self._store.execute(sandbox.id, push)
        return RuleQueue(next=[QueuedRuleView.of(queued)])

    async def cancel(self, sandbox: SandboxReader, query: CancelQuery) -> RuleQueue:
        cancel = CancelNext(real_ms=self._real_ms(), rule_id=query.id)
        if not await self._store.execute(sandbox.id, cancel):
            raise ControlError(404, f"id: no queued rule has the id {quoted(str(query.id))}")
        return await self.show(sandbox)
