"""The part of a sandbox in this process that is taken out as one document and put back."""

from collections.abc import Mapping

from mock_server.domain.clock import VirtualClock
from mock_server.domain.deliveries import Deliveries, Delivery, DeliveryState
from mock_server.domain.faults.injected import fault_text
from mock_server.domain.journal import Journal
from mock_server.domain.ledger import Ledger
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.snapshot import EntrySnapshot, KeptDelivery, Snapshot
from mock_server.domain.task import Task
from mock_server.domain.window import Window


class Kept:
    id: str
    seed: int
    origin: str  # the id of the sandbox whose chance and tasks these are
    settings: SandboxSettings
    _tasks: dict[str, Task]
    _clock: VirtualClock
    _window: Window
    _ledger: Ledger
    _deliveries: Deliveries
    _journal: Journal
    _book: RuleBook
    _ordinal: int
    _requests: int
    _refused: int
    _dropped_tasks: int

    def _taken(self, now_ms: int) -> Snapshot:
        ledger = self._ledger
        return Snapshot(
            id=self.id,
            origin=self.origin,
            seed=self.seed,
            settings=self.settings,
            clock=ClockSettings(mode=self._clock.mode, speed=self._clock.speed),
            now_ms=now_ms,
            admitted_ms=self._window.admitted_ms(now_ms),
            ordinal=self._ordinal,
            requests=self._requests,
            refused=self._refused,
            dropped_tasks=self._dropped_tasks,
            succeeded=ledger.succeeded,
            failed=ledger.failed,
            balance_microusd=ledger.balance_microusd,
            tasks=list(self._tasks.values()),
            deliveries=[_kept(delivery, now_ms) for delivery in self._deliveries],
            journal_dropped=self._journal.dropped,
            journal=[EntrySnapshot.of(entry) for entry in self._journal],
            rules=self._book.snapshot(),
        )

    def _put_back(self, kept: Snapshot, fail_codes: Mapping[str, str], real_ms: int) -> None:
        """Hold what a checked snapshot holds, in an empty sandbox."""
        self.seed, self.origin = kept.seed, kept.origin
        self.settings = kept.settings
        self._clock = VirtualClock(kept.clock.mode, kept.clock.speed, real_ms, kept.now_ms)
        self._window = Window(max(self.settings.rate_limit, len(kept.admitted_ms)))
        for instant_ms in kept.admitted_ms:  # more than the limit, where it was lowered since
            self._window.admit(instant_ms)
        self._window.resize(self.settings.rate_limit)
        self._ordinal = kept.ordinal
        self._requests = kept.requests
        self._refused = kept.refused
        self._dropped_tasks = kept.dropped_tasks
        self._tasks = {task.id: task for task in kept.tasks}
        self._ledger = Ledger(kept.balance_microusd)
        self._ledger.take_up(kept.tasks, succeeded=kept.succeeded, failed=kept.failed)
        self._deliveries = Deliveries()
        for each in kept.deliveries:
            delivery = Delivery(
                task=self._tasks[each.task_id],
                url=each.url,
                state=each.state,
                attempts=each.attempts,
                ruled=each.ruled,
                put_off_by=(each.put_off_by[0], each.put_off_injected),
            )
            self._deliveries.take_up(delivery, each.due_ms)
        self._journal = Journal.of((each.entry() for each in kept.journal), kept.journal_dropped)
        self._book = RuleBook(self.seed, self.origin)
        self._book.restore(kept.rules, fail_codes)


def _kept(delivery: Delivery, now_ms: int) -> KeptDelivery:
    """Describe a delivery; an attempt that is under way is one that is still due."""
    due_ms = delivery.due_ms
    rule, injected = delivery.put_off_by
    has_ended = delivery.task.plan.end_ms is not None and delivery.task.plan.end_ms <= now_ms
    if due_ms is None and delivery.state is DeliveryState.PENDING and has_ended:
        due_ms = now_ms
    return KeptDelivery(
        task_id=delivery.task.id,
        url=delivery.url,
        state=delivery.state,
        due_ms=due_ms,
        attempts=list(delivery.attempts),
        ruled=delivery.ruled,
        put_off_by=(rule, fault_text(injected)),
        put_off_injected=injected,
    )
