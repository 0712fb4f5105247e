"""Handlers that return the state of a sandbox as a snapshot and restore it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mock_server.domain.clock import VirtualClock
from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.deliveries import Deliveries, Delivery, DeliveryState
from mock_server.domain.events import Change
from mock_server.domain.faults.injected import fault_text, injected_of_text
from mock_server.domain.journal import Journal
from mock_server.domain.ledger import Ledger
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.sandbox.state import SandboxState
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.domain.snapshot import DeliverySnapshot, EntrySnapshot, Snapshot
from mock_server.domain.task import Task
from mock_server.domain.task_draws import TaskDraws
from mock_server.domain.task_snapshot import TaskSnapshot, restored_tasks
from mock_server.domain.window import Window


def take_snapshot(state: SandboxState, command: TakeSnapshot) -> Snapshot:
    now_ms = state.enter(command.real_ms)
    state.settle(now_ms)
    ledger = state.ledger
    return Snapshot(
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
        tasks=[TaskSnapshot.of(task) for task in state.tasks.values()],
        deliveries=[
            _delivery_snapshot(state, delivery, now_ms)
            for delivery in (*state.deliveries, *_unopened(state))
        ],
        journal_dropped=state.journal.dropped,
        journal=[EntrySnapshot.of(entry) for entry in state.journal],
        rules=state.book.snapshot(),
    )


def restore(state: SandboxState, command: Restore) -> None:
    """Replace the state. The new one is built completely first, so an error changes nothing."""
    snapshot, real_ms = command.snapshot, command.real_ms
    tasks = {task.id: task for task in restored_tasks(snapshot.tasks)}
    ledger = Ledger(tasks, snapshot.balance_microusd)
    ledger.restore(tasks.values(), succeeded=snapshot.succeeded, failed=snapshot.failed)
    window = _window(snapshot)
    deliveries = _deliveries(snapshot, tasks, state.deliveries.claims)
    book = RuleBook(snapshot.seed, snapshot.origin)
    book.restore(snapshot.rules, state.template.fail_messages)
    entries = [each.entry() for each in snapshot.journal]
    journal = Journal.of(entries, snapshot.journal_dropped)
    clock = VirtualClock(snapshot.clock.mode, snapshot.clock.speed, real_ms, snapshot.now_ms)

    state.used_ms = real_ms
    state.seed, state.origin = snapshot.seed, snapshot.origin
    state.task_draws = TaskDraws(state.seed, state.origin)
    state.settings = snapshot.settings
    state.clock, state.window, state.ledger = clock, window, ledger
    state.tasks, state.deliveries = tasks, deliveries
    state.journal, state.book = journal, book
    state.ordinal = snapshot.ordinal
    state.requests = snapshot.requests
    state.rejected = snapshot.refused
    state.responses = defaultdict(int, snapshot.responses)
    state.dropped_tasks = snapshot.dropped_tasks
    state.tell(Change.DROPPED)


def _window(snapshot: Snapshot) -> Window:
    """Return a window with the admitted requests, even if they exceed a lowered limit."""
    window = Window(max(snapshot.settings.rate_limit, len(snapshot.admitted_ms)))
    for instant_ms in snapshot.admitted_ms:
        window.admit(instant_ms)
    window.resize(snapshot.settings.rate_limit)
    return window


def _deliveries(snapshot: Snapshot, tasks: Mapping[str, Task], claims: int) -> Deliveries:
    deliveries = Deliveries(claims)
    for each in snapshot.deliveries:
        delivery = Delivery(
            task_id=each.task_id,
            ordinal=tasks[each.task_id].ordinal,
            url=each.url,
            state=each.state,
            due_ms=each.due_ms,
            attempts=tuple(each.attempts),
            postponed_attempt=each.ruled,
            postponed_by=(each.put_off_by[0], injected_of_text(each.put_off_by[1])),
        )
        deliveries.restore(delivery, until_overtaken=each.until_overtaken is True)
    return deliveries


def _unopened(state: SandboxState) -> Iterator[Delivery]:
    """Yield deliveries for callback tasks whose submits have not been answered yet.

    The restored sandbox does not answer them, so nobody would open their deliveries there.
    """
    for task in state.tasks.values():
        url = task.order.callback_url
        if url is not None and state.deliveries.of_task(task.id) is None:
            yield Delivery(task_id=task.id, ordinal=task.ordinal, url=url, due_ms=task.end_ms)


def _delivery_snapshot(state: SandboxState, delivery: Delivery, now_ms: int) -> DeliverySnapshot:
    """Return the snapshot of a delivery; an attempt in progress counts as still due."""
    due_ms = delivery.due_ms
    end_ms = state.tasks[delivery.task_id].end_ms
    has_ended = end_ms is not None and end_ms <= now_ms
    if due_ms is None and delivery.state is DeliveryState.PENDING and has_ended:
        due_ms = now_ms
    rule_id, injected = delivery.postponed_by
    snapshot = DeliverySnapshot(
        task_id=delivery.task_id,
        url=delivery.url,
        state=delivery.state,
        due_ms=due_ms,
        attempts=list(delivery.attempts),
        ruled=delivery.postponed_attempt,
        put_off_by=(rule_id, fault_text(injected)),
    )
    if state.deliveries.waits_for_another(delivery.task_id):
        snapshot.until_overtaken = True
    return snapshot
