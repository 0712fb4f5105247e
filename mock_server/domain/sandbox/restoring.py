"""Build the state that a snapshot describes, beside the present state of a sandbox.

The command `Restore` then replaces one by the other, in a time that does not depend on their size.
If nothing was prepared, as in the replay of a log, the command builds the state itself.
"""

from collections.abc import Generator, Mapping
from typing import Final

from mock_server.domain.deliveries import Deliveries, Delivery
from mock_server.domain.faults.injected import injected_of_text
from mock_server.domain.journal import Journal
from mock_server.domain.ledger import Ledger
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.snapshot import DeliverySnapshot, Snapshot
from mock_server.domain.steps import run_at_once
from mock_server.domain.task import Task
from mock_server.domain.task_snapshot import restored_tasks
from mock_server.domain.window import Window

_STEP = 100  # The number of items that are added in one step.
_PREPARED: Final = "prepared"


class RestoredParts:
    """The parts of a sandbox's state that only the snapshot decides."""

    __slots__ = ("book", "deliveries", "journal", "ledger", "tasks", "window")

    def __init__(self, snapshot: Snapshot) -> None:
        self.tasks: dict[str, Task] = {}
        self.ledger = Ledger(self.tasks, snapshot.balance_microusd)
        self.window = _window(snapshot)
        self.deliveries = Deliveries()
        self.book = RuleBook(snapshot.seed, snapshot.origin)
        self.journal = Journal.of((), snapshot.journal_dropped)


def preparing_steps(
    snapshot: Snapshot, fail_messages: Mapping[str, str]
) -> Generator[None, None, None]:
    """Prepare a `Restore` of this snapshot, and yield about every millisecond.

    The snapshot refers to the parts until a sandbox takes them. They are never encoded.
    """
    vars(snapshot)[_PREPARED] = yield from _building_steps(snapshot, fail_messages)


def parts_of(snapshot: Snapshot, fail_messages: Mapping[str, str]) -> RestoredParts:
    """Return parts for one sandbox: those that were prepared, or else new ones.

    No other sandbox gets the same parts, because commands change them.
    """
    prepared: RestoredParts | None = vars(snapshot).pop(_PREPARED, None)
    return prepared or run_at_once(_building_steps(snapshot, fail_messages))


def _building_steps(
    snapshot: Snapshot, fail_messages: Mapping[str, str]
) -> Generator[None, None, RestoredParts]:
    parts = RestoredParts(snapshot)
    tasks, ledger, deliveries, journal = parts.tasks, parts.ledger, parts.deliveries, parts.journal
    ledger.succeeded, ledger.failed = snapshot.succeeded, snapshot.failed
    for at, task in enumerate(restored_tasks(snapshot.tasks), start=1):
        tasks[task.id] = task
        ledger.resume(task)
        if at % _STEP == 0:
            yield
    for at, each in enumerate(snapshot.deliveries, start=1):
        delivery = _delivery(each, tasks[each.task_id].ordinal)
        deliveries.restore(delivery, until_overtaken=each.until_overtaken is True)
        if at % _STEP == 0:
            yield
    for at, entry in enumerate(snapshot.journal, start=1):
        journal.add(entry.entry())
        if at % _STEP == 0:
            yield
    yield from parts.book.restoring_steps(snapshot.rules, fail_messages)
    return parts


def _window(snapshot: Snapshot) -> Window:
    """Return a window with the admitted requests, even if they exceed a lowered limit."""
    limit, instants_ms = snapshot.settings.rate_limit, snapshot.admitted_ms
    return Window.of(limit, max(limit, len(instants_ms)), instants_ms)


def _delivery(snapshot: DeliverySnapshot, ordinal: int) -> Delivery:
    rule_id, injected = snapshot.put_off_by
    return Delivery(
        task_id=snapshot.task_id,
        ordinal=ordinal,
        url=snapshot.url,
        state=snapshot.state,
        due_ms=snapshot.due_ms,
        attempts=tuple(snapshot.attempts),
        postponed_attempt=snapshot.ruled,
        postponed_by=(rule_id, injected_of_text(injected)),
    )
