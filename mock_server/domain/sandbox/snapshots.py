"""Handlers that return the contents of a sandbox for a snapshot, and restore a snapshot.

Neither takes longer for a large sandbox than for a small one, apart from copies of references.
"""

from collections import defaultdict

from mock_server.domain.clock import VirtualClock
from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.events import Change
from mock_server.domain.sandbox.restoring import parts_of
from mock_server.domain.sandbox.state import SandboxState
from mock_server.domain.sandbox_contents import SandboxContents
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.task_draws import TaskDraws


def take_snapshot(state: SandboxState, command: TakeSnapshot) -> SandboxContents:
    now_ms = state.enter(command.real_ms)
    state.settle(now_ms)
    ledger = state.ledger
    outline = Snapshot(
        id=state.id,
        origin=state.origin,
        seed=state.seed,
        settings=state.settings,
        clock=ClockSettings(mode=state.clock.mode, speed=state.clock.speed),
        now_ms=now_ms,
        admitted_ms=state.window.admitted_ms(now_ms),
        ordinal=state.ordinal,
        requests=state.requests,
        refused=state.rejected,
        responses=dict(state.responses),
        dropped_tasks=state.dropped_tasks,
        succeeded=ledger.succeeded,
        failed=ledger.failed,
        balance_microusd=ledger.balance_microusd,
        tasks=[],
        deliveries=[],
        journal_dropped=state.journal.dropped,
        journal=[],
        rules=state.book.snapshot(),
    )
    return SandboxContents(
        outline=outline,
        tasks_by_id=state.tasks.copy(),
        deliveries_by_task=state.deliveries.by_task(),
        overtaken=frozenset(state.deliveries.overtaken),
        entries=list(state.journal),
    )


def restore(state: SandboxState, command: Restore) -> None:
    """Replace the state. The new one is built completely first, so an error changes nothing."""
    snapshot, real_ms = command.snapshot, command.real_ms
    parts = parts_of(snapshot, state.template.fail_messages)
    clock = VirtualClock(snapshot.clock.mode, snapshot.clock.speed, real_ms, snapshot.now_ms)
    parts.deliveries.continue_claims(state.deliveries.claims)

    state.used_ms = real_ms
    state.seed, state.origin = snapshot.seed, snapshot.origin
    state.task_draws = TaskDraws(state.seed, state.origin)
    state.settings = snapshot.settings
    state.clock, state.window, state.ledger = clock, parts.window, parts.ledger
    state.tasks, state.deliveries = parts.tasks, parts.deliveries
    state.journal, state.book = parts.journal, parts.book
    state.ordinal = snapshot.ordinal
    state.requests = snapshot.requests
    state.rejected = snapshot.refused
    state.responses = defaultdict(int, snapshot.responses)
    state.dropped_tasks = snapshot.dropped_tasks
    state.tell(Change.DROPPED)
