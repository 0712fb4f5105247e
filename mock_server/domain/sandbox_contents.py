"""The contents of a sandbox at one instant, from which its snapshot is written in pieces."""

from collections.abc import Iterator

import msgspec

from mock_server.domain.deliveries import Delivery, DeliveryState
from mock_server.domain.faults.injected import fault_text
from mock_server.domain.journal import Entry
from mock_server.domain.snapshot import DeliverySnapshot, EntrySnapshot, Snapshot
from mock_server.domain.task import Task
from mock_server.domain.task_snapshot import TaskSnapshot


class SandboxContents(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a sandbox. They never change: the sandbox replaces them.

    `outline` is the snapshot without its long lists. The methods yield their items.
    """

    outline: Snapshot
    tasks_by_id: dict[str, Task]
    deliveries_by_task: dict[str, Delivery]
    overtaken: frozenset[str]  # Tasks whose delivery waits for another delivery.
    entries: list[Entry]

    def snapshot(self) -> Snapshot:
        """Return the complete snapshot."""
        return msgspec.structs.replace(
            self.outline,
            tasks=list(self.tasks()),
            deliveries=list(self.deliveries()),
            journal=list(self.journal()),
        )

    def tasks(self) -> Iterator[TaskSnapshot]:
        return map(TaskSnapshot.of, self.tasks_by_id.values())

    def deliveries(self) -> Iterator[DeliverySnapshot]:
        yield from map(self._delivery, self.deliveries_by_task.values())
        yield from map(self._delivery, self._unopened())

    def journal(self) -> Iterator[EntrySnapshot]:
        """Yield the entries of the journal. Their headers are not redacted."""
        return map(EntrySnapshot.of, self.entries)

    def _unopened(self) -> Iterator[Delivery]:
        """Yield deliveries for callback tasks whose submits have not been answered yet.

        The restored sandbox does not answer them, so nobody would open their deliveries there.
        """
        for task in self.tasks_by_id.values():
            url = task.order.callback_url
            if url is not None and task.id not in self.deliveries_by_task:
                yield Delivery(task_id=task.id, ordinal=task.ordinal, url=url, due_ms=task.end_ms)

    def _delivery(self, delivery: Delivery) -> DeliverySnapshot:
        """Return the snapshot of a delivery; an attempt in progress counts as still due."""
        due_ms, now_ms = delivery.due_ms, self.outline.now_ms
        end_ms = self.tasks_by_id[delivery.task_id].end_ms
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
        if delivery.task_id in self.overtaken:
            snapshot.until_overtaken = True
        return snapshot
