"""Sends callbacks when they fall due on their sandbox's clock (CB-1 … CB-4).

Time that moves by itself: one timer a sandbox, armed for its next attempt; every attempt is a
job of its own, so a slow receiver delays nobody. Time moved by hand: `advance` walks from
instant to instant and waits at each for what it has sent.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from mock_server.domain.clock import LATEST_MS, Mode
from mock_server.domain.deliveries import Claim, DeliveryState
from mock_server.domain.journal import MAX_BODY_BYTES, Entry, Operation
from mock_server.domain.ports import RealClock, Sender, Sent
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.rules import RuleInput
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.store import ClockReading, Sandbox, Store
from mock_server.domain.task import Task, state_at
from mock_server.runtime.callback_faults import DROPPED, bodies

log = logging.getLogger("mock_server.callbacks")

_LONGEST_TIMER_S = 86_400.0
_LOGGED_AT_SHUTDOWN = 100

EncodeStatus: TypeAlias = Callable[[Task, int], bytes]
MakeSender: TypeAlias = Callable[[], Sender]


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A callback attempt that an advance has made."""

    at_ms: int
    task_id: str
    attempt: int
    status: int | None
    error: str | None


class Early(msgspec.Struct, frozen=True):
    """A task whose callback comes before its submit is answered, and the rule that says so."""

    task_id: str
    applied: RuleMatch


class TooLate(Exception):
    """The calendar ends before the instant asked for."""


class SandboxDropped(Exception):
    """Everything of the sandbox was dropped while its clock was moved."""


class _Courier:
    """What is under way for one sandbox, until everything of it is dropped."""

    def __init__(self) -> None:
        self.is_dropped = False
        self.timer: asyncio.TimerHandle | None = None
        self.attempts: set[asyncio.Task[Fired | None]] = set()
        self.turn = asyncio.Lock()  # one hand on the clock at a time

    def check(self) -> None:
        """Raise SandboxDropped when there is nothing left to wait for."""
        if self.is_dropped:
            raise SandboxDropped

    @property
    def is_idle(self) -> bool:
        return self.timer is None and not self.attempts and not self.turn.locked()


class Dispatcher:
    def __init__(
        self,
        *,
        clock: RealClock,
        make_sender: MakeSender,
        encode_status: EncodeStatus,
        rules: RuleMatcher,
    ) -> None:
        self._clock = clock
        self._make_sender = make_sender
        self._sender: Sender | None = None  # made when first needed: httpx is slow to import
        self._encode_status = encode_status
        self._rules = rules
        self._couriers: dict[str, _Courier] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    def wake(self, sandbox: Sandbox) -> None:
        """Something may be due in this sandbox, or its clock goes another way now."""
        job = asyncio.create_task(self._round(sandbox))
        self._rounds.add(job)
        job.add_done_callback(self._rounds.discard)

    async def advance(self, sandbox: Sandbox, by_ms: int) -> tuple[int, int, list[Fired]]:
        """Move the sandbox's clock on; return from, to and what was sent on the way.

        Every attempt that falls due is made in order of time, with the clock standing at its
        own instant, and has settled when this returns. Raises TooLate, SandboxDropped.
        """
        courier = self._courier(sandbox)
        async with courier.turn:
            courier.check()
            from_ms = await sandbox.hold_clock(self._real_ms())
            try:
                if from_ms + by_ms > LATEST_MS:
                    raise TooLate
                if courier.attempts:
                    await asyncio.wait(courier.attempts)
                    courier.check()
                fired = await self._walk(sandbox, courier, from_ms + by_ms)
            finally:
                if not courier.is_dropped:
                    await sandbox.release_clock(self._real_ms())
        self.wake(sandbox)
        return from_ms, from_ms + by_ms, fired

    async def deliver_now(self, sandbox: Sandbox, task_id: str, applied: RuleMatch) -> None:
        """Send what is due, and wait until it has been sent, for a rule wants it so."""
        claims = await sandbox.claim(self._real_ms())
        early = Early(task_id, applied)
        sent = self._send_all(sandbox, self._courier(sandbox), claims, early)
        if sent:
            await asyncio.wait(sent)

    async def set_clock(self, sandbox: Sandbox, mode: Mode, speed: float) -> ClockReading:
        reading = await sandbox.set_clock(mode, speed, self._real_ms())
        self.wake(sandbox)
        return reading

    async def reset(self, sandbox: Sandbox) -> None:
        """Drop everything of a sandbox, what is under way included."""
        await sandbox.reset(self._real_ms())
        self._drop(sandbox.id)

    async def restore(
        self, sandbox: Sandbox, snapshot: Snapshot, fail_codes: Mapping[str, str]
    ) -> None:
        """Go on as a snapshot says; what is under way is dropped. Raises StoreFull."""
        await sandbox.restore(snapshot, fail_codes, self._real_ms())
        self._drop(sandbox.id)
        self.wake(sandbox)

    async def drop_all(self, store: Store) -> None:
        await store.drop_all()
        for sandbox_id in list(self._couriers):
            self._drop(sandbox_id)

    async def close(self, sandboxes: Sequence[Sandbox]) -> None:
        """Stop; log what is still to be delivered."""
        pending = [
            delivery
            for sandbox in sandboxes
            for delivery in await sandbox.deliveries()
            if delivery.state is DeliveryState.PENDING
        ]
        for delivery in pending[:_LOGGED_AT_SHUTDOWN]:
            log.warning(
                "callback not delivered at shutdown: task %s, attempts so far: %d",
                delivery.task.id, len(delivery.attempts),
            )  # fmt: skip
        if len(pending) > _LOGGED_AT_SHUTDOWN:
            log.warning("callbacks not delivered at shutdown: %d in all", len(pending))
        jobs = [job for courier in self._couriers.values() for job in courier.attempts]
        for courier in self._couriers.values():
            if courier.timer is not None:
                courier.timer.cancel()
        for job in (*jobs, *self._rounds):
            job.cancel()
        await asyncio.gather(*jobs, *self._rounds, return_exceptions=True)
        if self._sender is not None:
            await self._sender.aclose()

    async def _walk(self, sandbox: Sandbox, courier: _Courier, until_ms: int) -> list[Fired]:
        fired: list[Fired] = []
        while (due_ms := await sandbox.next_due_ms()) is not None and due_ms <= until_ms:
            await sandbox.move_clock(due_ms)
            claims = await sandbox.claim(self._real_ms())
            sent = self._send_all(sandbox, courier, claims)
            await asyncio.wait(sent)
            courier.check()
            fired += [done for job in sent if (done := job.result()) is not None]
        await sandbox.move_clock(until_ms)
        return fired

    async def _round(self, sandbox: Sandbox) -> None:
        """Send what is due now, and arm the timer for what falls due by itself."""
        courier = self._courier(sandbox)
        if courier.turn.locked():  # whoever moves the clock sends what is due and wakes us
            return
        self._send_all(sandbox, courier, await sandbox.claim(self._real_ms()))
        if courier.timer is not None:
            courier.timer.cancel()
            courier.timer = None
        wait_s = await sandbox.wait_s(self._real_ms())
        if wait_s is not None:
            loop = asyncio.get_running_loop()
            courier.timer = loop.call_later(min(wait_s, _LONGEST_TIMER_S), self.wake, sandbox)
        self._tidy(sandbox.id, courier)

    def _send_all(
        self,
        sandbox: Sandbox,
        courier: _Courier,
        claims: Sequence[Claim],
        early: Early | None = None,
    ) -> list[asyncio.Task[Fired | None]]:
        jobs = [asyncio.create_task(self._attempt(sandbox, claim, early)) for claim in claims]
        for job in jobs:
            courier.attempts.add(job)
            job.add_done_callback(lambda job: self._landed(sandbox.id, courier, job))
        return jobs

    def _landed(self, sandbox_id: str, courier: _Courier, job: asyncio.Task[Fired | None]) -> None:
        courier.attempts.discard(job)
        self._tidy(sandbox_id, courier)

    def _tidy(self, sandbox_id: str, courier: _Courier) -> None:
        if courier.is_idle and self._couriers.get(sandbox_id) is courier:
            del self._couriers[sandbox_id]

    async def _attempt(
        self, sandbox: Sandbox, claim: Claim, early: Early | None = None
    ) -> Fired | None:
        """Make an attempt, or put it off if a rule says so."""
        applied = await self._ruled(sandbox, claim)
        if applied is None and early is not None and early.task_id == claim.delivery.task.id:
            applied = early.applied
        effect = applied.effect.callback if applied else None
        if applied and effect and effect.fault.traits.delays:
            await sandbox.put_off(
                claim,
                effect.delay_ms,
                self._real_ms(),
                (applied.rule, applied.effect.injected),
                is_overtaken=effect.fault.traits.yields,
            )
            self.wake(sandbox)
            return None
        if applied and applied.latency_ms:
            await asyncio.sleep(applied.latency_ms / 1000)
        sent = await self._send(sandbox, claim, applied)
        if sent.status != 200:
            log.warning(
                "callback attempt %d for task %s: %s",
                claim.number, claim.delivery.task.id,
                sent.error or f"status {sent.status}, not 200",
            )  # fmt: skip
        if sent.status != 200 or sandbox.has_rules:  # it is tried again, or lets another one go
            self.wake(sandbox)
        return Fired(
            at_ms=claim.at_ms,
            task_id=claim.delivery.task.id,
            attempt=claim.number,
            status=sent.status,
            error=sent.error,
        )

    async def _ruled(self, sandbox: Sandbox, claim: Claim) -> RuleMatch | None:
        delivery = claim.delivery
        if not sandbox.has_rules or delivery.ruled == claim.number:
            return None
        return await self._rules.match(
            sandbox,
            RuleInput(
                operation=Operation.CALLBACK,
                subject=delivery.task.id,
                prompt=delivery.task.prompt,
                state=state_at(delivery.task, claim.at_ms),
                attempt=claim.number,
            ),
        )

    async def _send(self, sandbox: Sandbox, claim: Claim, applied: RuleMatch | None) -> Sent:
        """Send what is due, one body or several; what comes of the last one counts."""
        if self._sender is None:
            self._sender = self._make_sender()
        effect = applied.effect.callback if applied else None
        traits = effect.fault.traits if effect else None
        payloads = bodies(  # CB-1: what a status request would see
            effect, claim.delivery.task, lambda task: self._encode_status(task, claim.at_ms)
        )
        for payload in payloads[:-1]:
            sent = await self._sender.post(claim.delivery.url, payload, sandbox.id)
            self._journal(sandbox, claim, sent, payload, applied)
        sent = (
            Sent(error=DROPPED)
            if traits and not traits.is_sent
            else await self._sender.post(
                claim.delivery.url,
                payloads[-1],
                sandbox.id,
                is_slow=traits is not None and traits.is_slow,
            )
        )
        if await sandbox.settle(claim, sent, self._real_ms()):
            self._journal(sandbox, claim, sent, payloads[-1], applied)
        return sent

    def _journal(
        self, sandbox: Sandbox, claim: Claim, sent: Sent, payload: bytes, applied: RuleMatch | None
    ) -> None:
        rule, injected = (applied.rule, applied.effect.injected) if applied else ("", ())
        if applied is None and claim.delivery.ruled == claim.number:
            rule, injected = claim.delivery.put_off_by
        sandbox.record(
            Entry(
                claim.at_ms,
                self._real_ms() - sent.duration_ms,
                Operation.CALLBACK,
                claim.delivery.task.id,
                sent.status or 0,
                sent.duration_ms * 1000,
                payload[:MAX_BODY_BYTES],
                b"",
                method="POST",
                path=claim.delivery.url,
                rule=rule,
                injected=injected,
                error=sent.error or "",
            )
        )

    def _drop(self, sandbox_id: str) -> None:
        courier = self._couriers.pop(sandbox_id, None)
        if courier is None:
            return
        courier.is_dropped = True
        if courier.timer is not None:
            courier.timer.cancel()
        for job in courier.attempts:
            job.cancel()

    def _courier(self, sandbox: Sandbox) -> _Courier:
        return self._couriers.setdefault(sandbox.id, _Courier())

    def _real_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000
