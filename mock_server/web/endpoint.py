"""What every endpoint of the provider does before and after its own work, rules included."""

from abc import ABC, abstractmethod

from starlette.types import Receive, Scope, Send

from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.journal import Operation
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import Refused, Sandbox
from mock_server.web import envelope
from mock_server.web.answer import Answer
from mock_server.web.body import ClientGone
from mock_server.web.exchange import (
    Exchange,
    Headers,
    Served,
    refused,
    unauthorized,
    wrong_method,
)
from mock_server.web.meaning_faults import spoiled
from mock_server.web.tenants import Tenants


class Endpoint(ABC):
    """A plain ASGI callable for one path.

    The order: a known method, a valid key (AUTH-2), the request's own work (which counts it,
    LIM-3), the journal, the answer.
    """

    operation: Operation
    method: str

    def __init__(self, tenants: Tenants, exchange: Exchange) -> None:
        self._tenants = tenants
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._exchange
        began_ns = exchange.now_ns()
        headers = dict(scope["headers"])
        key = headers.get(b"authorization")
        sandbox = self._tenants.known(key)
        if sandbox is None:
            sandbox = await self._tenants.find(key, began_ns // 1_000_000)
        if scope["method"] != self.method:
            await exchange.send(send, await self._refuse_method(sandbox, scope))
        elif sandbox is None:
            exchange.note_unauthorized(self.operation)
            await exchange.send(send, unauthorized(began_ns // 1_000_000))
        else:
            try:
                body = await self.read(headers, receive)
            except ClientGone:
                return
            served = Served(sandbox, self.operation, began_ns, scope, body or b"")
            if sandbox.has_rules:
                answer = await self._respond_ruled(served, headers, body, send)
            else:
                answer = await self.handle(sandbox, scope, headers, body, None)
                await exchange.respond(served, answer, send)
            if answer.owes_callback:
                await self.deliver(sandbox, answer.task_id)

    async def read(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the body of the request, None when it is too large."""
        return b""

    async def about(
        self, sandbox: Sandbox, scope: Scope, headers: Headers, body: bytes | None
    ) -> RuleInput:
        """Say what rules may look at."""
        return RuleInput(operation=self.operation, headers=headers)

    @abstractmethod
    async def handle(
        self,
        sandbox: Sandbox,
        scope: Scope,
        headers: Headers,
        body: bytes | None,
        applied: RuleMatch | None,
    ) -> Answer:
        """Return the answer to a request that no rule refuses."""

    async def deliver(self, sandbox: Sandbox, task_id: str) -> None:
        """See to the callback of a task whose request has now been answered."""
        raise AssertionError(f"{self.operation} owes no callback")

    async def _respond_ruled(
        self,
        served: Served,
        headers: Headers,
        body: bytes | None,
        send: Send,
    ) -> Answer:
        """Answer as the rules of the sandbox want it."""
        sandbox, scope = served.sandbox, served.scope
        asked = await self.about(sandbox, scope, headers, body)
        applied = await self._exchange.rules.match(sandbox, asked)
        if applied is not None:
            await self._exchange.pause(applied)
        if applied is not None and applied.effect.rejection is not None:
            answer = await self._refused_by_rule(sandbox, applied.effect.rejection, asked.task_id)
            if answer.status != applied.effect.rejection.status:
                applied = None  # LIM-1 was first
        else:
            answer = await self.handle(sandbox, scope, headers, body, applied)
            if applied is not None and answer.status == 200 and applied.effect.meaning:
                answer = spoiled(answer, applied.effect.meaning)
            elif applied is not None and answer.status != 200 and not applied.effect.always_shows:
                applied = None
        await self._exchange.respond(served, answer, send, applied)
        return answer

    async def _refused_by_rule(
        self, sandbox: Sandbox, rejection: RuleRejection, task_id: str
    ) -> Answer:
        real_ms = self._exchange.now_ms()
        if rejection.status == 429:  # LIM-4
            now_ms = (await sandbox.clock(real_ms)).now_ms
            return self._exchange.refusal(rejection, now_ms, task_id)
        counted = await sandbox.count(real_ms)
        if isinstance(counted, Refused):
            return refused(sandbox, counted)
        return self._exchange.refusal(rejection, counted.now_ms, task_id)

    async def _refuse_method(self, sandbox: Sandbox | None, scope: Scope) -> Answer:
        if sandbox is None:
            return wrong_method(scope, self.method, self._exchange.now_ms())
        counted = await sandbox.count(self._exchange.now_ms())
        if isinstance(counted, Refused):
            return refused(sandbox, counted)
        return wrong_method(scope, self.method, counted.now_ms)

    async def _refuse(self, sandbox: Sandbox, status: int, message: str, detail: str) -> Answer:
        """Refuse a request that counts to the limit all the same (LIM-4)."""
        counted = await sandbox.count(self._exchange.now_ms())
        if isinstance(counted, Refused):
            return refused(sandbox, counted)
        return Answer(status, envelope.error(status, message, detail), counted.now_ms)
