"""Make callback attempts: apply rules, send, record the result (CB-1 … CB-4)."""

import logging
import re
from collections.abc import Callable
from typing import TypeAlias

from mock_server.domain.commands import PostponeDelivery, RecordDelivery, RecordExchange
from mock_server.domain.deliveries import DueDelivery
from mock_server.domain.journal import MAX_BODY_BYTES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.ports import DeliveryResult, RealClock, Sender
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import Task, state_at
from mock_server.runtime.callback_faults import DROPPED, bodies
from mock_server.runtime.store_outage import StoreOutage

log = logging.getLogger("mock_server.callbacks")

# Host and port: the other parts of a URL may be secrets.
_RECEIVER = re.compile(r"https?://(?:[^/?#]*@)?([\w.:\[\]-]+)", re.IGNORECASE)

_CRASH = DeliveryResult(error="internal error of the mock server; its log has the traceback")

EncodeStatus: TypeAlias = Callable[[Task, int, SandboxReader], bytes]
"""Return the body for a task at an instant, given its sandbox."""
MakeSender: TypeAlias = Callable[[], Sender]


MakeLogText: TypeAlias = Callable[[str, str], str]
"""Return a text for the log, without the API key of the sandbox with this id."""


class CallbackAttempts:
    """Makes the attempts that the dispatcher has claimed."""

    def __init__(
        self,
        store: Store,
        matcher: RuleMatcher,
        *,
        clock: RealClock,
        make_sender: MakeSender,
        encode_status: EncodeStatus,
        log_text: MakeLogText,
    ) -> None:
        self._store = store
        self._matcher = matcher
        self._clock = clock
        self._make_sender = make_sender
        self._sender: Sender | None = None  # Created when first needed: httpx is slow to import.
        self._encode_status = encode_status
        self._log_text = log_text
        self.outage = StoreOutage()

    async def match(self, sandbox: SandboxReader, due: DueDelivery) -> RuleMatch | None:
        """Return the rule for an attempt, and count the match.

        Raises SandboxMissing if the sandbox is removed in the meantime.
        """
        if not sandbox.has_rules or due.postponed_by is not None:
            return None
        rule_input = RuleInput(
            operation=Operation.CALLBACK,
            subject=due.task.id,
            prompt=due.task.prompt,
            state=state_at(due.task, due.at_ms),
            attempt=due.attempt,
        )
        return await self.outage.retry(
            lambda _: self._matcher.match(sandbox, rule_input, self._real_ms())
        )

    async def postpone(self, sandbox_id: str, due: DueDelivery, match: RuleMatch | None) -> bool:
        """Postpone an attempt if its rule says so, and return whether it does.

        Raises SandboxMissing if the sandbox is removed in the meantime.
        """
        effect = match.effect.callback if match else None
        if match is None or effect is None or not effect.fault.traits.delays:
            return False
        postpone = PostponeDelivery(
            real_ms=self._real_ms(),
            claimed=due,
            delay_ms=effect.delay_ms,
            match=match,
            until_overtaken=effect.fault.traits.yields,
        )
        await self.outage.retry(lambda _: self._store.execute(sandbox_id, postpone))
        return True

    async def send(
        self,
        sandbox: SandboxReader,
        due: DueDelivery,
        match: RuleMatch | None,
        *,
        ended_ms: int | None,
    ) -> DeliveryResult:
        """Make an attempt, record its result and return it.

        `ended_ms` is the instant from which the next attempt counts, None for the instant of the
        end. Raises SandboxMissing if the sandbox is removed during the attempt.
        """
        delivered = await self._post(sandbox, due, match, ended_ms)
        if delivered.status != 200:
            self._log_failure(sandbox.id, due, delivered)
        return delivered

    async def record_crash(
        self, sandbox_id: str, due: DueDelivery, *, ended_ms: int | None
    ) -> None:
        """Record that an unexpected exception ended an attempt, unless its result is recorded.

        For `ended_ms` and for SandboxMissing see `send`.
        """
        await self._record_result(sandbox_id, due, _CRASH, b"", None, ended_ms)

    async def aclose(self) -> None:
        if self._sender is not None:
            await self._sender.aclose()

    async def _post(
        self,
        sandbox: SandboxReader,
        due: DueDelivery,
        match: RuleMatch | None,
        ended_ms: int | None,
    ) -> DeliveryResult:
        """Send one or more bodies, as the rule requires; the result of the last one counts."""
        if self._sender is None:
            self._sender = self._make_sender()
        sender = self._sender
        effect = match.effect.callback if match else None
        traits = effect.fault.traits if effect else None
        payloads = bodies(  # CB-1: the same body as a status response.
            effect, due.task, lambda task: self._encode_status(task, due.at_ms, sandbox)
        )
        for payload in payloads[:-1]:
            delivered = await sender.post(due.url, payload, sandbox.id)
            await self._record(sandbox.id, due, delivered, payload, match)
        if traits is not None and not traits.is_sent:
            delivered = DeliveryResult(error=DROPPED)
        else:
            delivered = await sender.post(
                due.url, payloads[-1], sandbox.id, is_slow=traits is not None and traits.is_slow
            )
        await self._record_result(sandbox.id, due, delivered, payloads[-1], match, ended_ms)
        return delivered

    async def _record_result(
        self,
        sandbox_id: str,
        due: DueDelivery,
        delivered: DeliveryResult,
        payload: bytes,
        match: RuleMatch | None,
        ended_ms: int | None,
    ) -> None:
        """End a claimed attempt with its result, and record it in the journal."""
        result = RecordDelivery(
            real_ms=self._real_ms(), claimed=due, delivered=delivered, ended_ms=ended_ms
        )

        async def record(tries: int) -> bool:
            """Record the result. If it was not recorded now, an earlier try may have done so."""
            return await self._store.execute(sandbox_id, result) or tries > 0

        if await self.outage.retry(record):
            await self._record(sandbox_id, due, delivered, payload, match)

    async def _record(
        self,
        sandbox_id: str,
        due: DueDelivery,
        delivered: DeliveryResult,
        payload: bytes,
        match: RuleMatch | None,
    ) -> None:
        """Record an attempt in the journal, with the rule that changed or postponed it."""
        rule, injected = due.postponed_by or ("", ())
        if match is not None:
            rule, injected = match.rule, match.effect.injected
        real_ms = self._real_ms()
        entry = Entry(
            at_ms=due.at_ms,
            real_ms=real_ms - delivered.duration_ms,
            operation=Operation.CALLBACK,
            task_id=due.task.id,
            status=delivered.status or 0,
            duration_us=delivered.duration_ms * 1000,
            request=payload[:MAX_BODY_BYTES],
            answer=b"",
            method="POST",
            path=due.url,
            rule=rule,
            injected=injected,
            error=delivered.error or "",
        )
        record = RecordExchange(real_ms=real_ms, entry=entry)
        await self.outage.retry(lambda _: self._store.execute(sandbox_id, record))

    def _log_failure(self, sandbox_id: str, due: DueDelivery, delivered: DeliveryResult) -> None:
        """Log a failed attempt. The host of its address, and so the error, may be an API key."""
        problem = delivered.error or f"the receiver returned status {delivered.status}"
        found = _RECEIVER.match(due.url)
        receiver = found[1] if found else "an invalid address"
        problem = self._log_text(sandbox_id, problem)
        receiver = self._log_text(sandbox_id, receiver)
        log.warning(
            "callback attempt %d for task %s failed: %s",
            due.attempt,
            due.task.id,
            problem,
            extra={"summary": f"callback attempt {due.attempt} to {receiver} failed: {problem}"},
        )

    def _real_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


def is_answered(delivered: DeliveryResult) -> bool | None:
    """Return whether the receiver responded; None if the attempt says nothing about it."""
    if delivered.status is not None:
        return True
    says_nothing = delivered.is_blocked or delivered.is_invalid or delivered.error == DROPPED
    return None if says_nothing else False
