"""Handlers of the commands that schedule, claim and record callback attempts (CB-1 … CB-4)."""

from collections.abc import Sequence

from mock_server.domain.commands import (
    ClaimDeliveries,
    ExpectCallback,
    PostponeDelivery,
    RecordDelivery,
    ReleaseClaims,
)
from mock_server.domain.deliveries import Delivery, DueDelivery
from mock_server.domain.sandbox.state import SandboxState


def expect_callback(state: SandboxState, command: ExpectCallback) -> None:
    """Open the delivery of a task, unless it is open already.

    It is open if a snapshot was restored before the submit was answered. After a reset, it may
    belong to a new task, because the sandbox draws the same ids again.
    """
    task = state.tasks.get(command.task_id)
    if task is None or task.order.callback_url is None:
        return
    if state.deliveries.of_task(task.id) is None:
        state.deliveries.open(task, task.order.callback_url)


def claim_deliveries(state: SandboxState, command: ClaimDeliveries) -> Sequence[DueDelivery]:
    now_ms = state.enter(command.real_ms)
    if state.clock.is_held_from(command.owner):
        return []
    claimed = state.deliveries.claim(now_ms, command.owner, command.limit)
    return [_due(state, delivery, now_ms) for delivery in claimed]


def release_claims(state: SandboxState, command: ReleaseClaims) -> int:
    """Release what an owner has claimed. The sandbox does not count as used."""
    if command.kept is None:
        state.clock.release(command.owner, command.real_ms)
    now_ms = state.clock.now_ms(command.real_ms)
    return state.deliveries.release(command.owner, now_ms, kept=command.kept or ())


def postpone_delivery(state: SandboxState, command: PostponeDelivery) -> None:
    now_ms = state.enter(command.real_ms)
    state.deliveries.postpone(
        command.claimed,
        now_ms + command.delay_ms,
        (command.match.rule, command.match.effect.injected),
        until_overtaken=command.until_overtaken,
    )


def record_delivery(state: SandboxState, command: RecordDelivery) -> bool:
    now_ms = state.enter(command.real_ms)
    return state.deliveries.record(command.claimed, command.delivered, now_ms, command.ended_ms)


def _due(state: SandboxState, delivery: Delivery, now_ms: int) -> DueDelivery:
    attempt = len(delivery.attempts) + 1
    return DueDelivery(
        task=state.tasks[delivery.task_id],
        url=delivery.url,
        claim=delivery.claim,
        attempt=attempt,
        at_ms=now_ms,
        postponed_by=delivery.postponed_by if delivery.postponed_attempt == attempt else None,
    )
