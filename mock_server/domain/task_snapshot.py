"""Tasks as they are written in a snapshot, version 1, whatever form they have in memory."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from mock_server.domain.snapshot_bounds import (
    BaseUrl,
    CallbackUrl,
    Count,
    Instant,
    PlannedInstant,
    TaskId,
    Text,
)
from mock_server.domain.task import Ending, Order, Task


class PlanSnapshot(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    start_ms: PlannedInstant
    end_ms: PlannedInstant | None
    polls: Count = 0
    fail_code: Text | None = None
    fail_message: Text | None = None
    reasons: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()

    def ending(self) -> Ending:
        return Ending(
            polls=self.polls,
            fail_code=self.fail_code,
            fail_message=self.fail_message,
            reasons=self.reasons,
        )


class TaskSnapshot(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    id: TaskId
    model_id: Text
    ordinal: Count
    prompt: Text
    ratio: Text
    num_images: Count
    price_microusd: Count
    base_url: BaseUrl
    callback_url: CallbackUrl | None
    created_ms: Instant
    plan: PlanSnapshot
    polls_seen: Count = 0
    is_settled: bool = False
    has_directives: bool = False

    @classmethod
    def of(cls, task: Task) -> Self:
        order, ending = task.order, task.ending
        return cls(
            id=task.id,
            model_id=order.model_id,
            ordinal=task.ordinal,
            prompt=task.prompt,
            ratio=order.ratio,
            num_images=order.num_images,
            price_microusd=order.price_microusd,
            base_url=order.base_url,
            callback_url=order.callback_url,
            created_ms=task.created_ms,
            plan=PlanSnapshot(
                start_ms=task.start_ms,
                end_ms=task.end_ms,
                polls=ending.polls,
                fail_code=ending.fail_code,
                fail_message=ending.fail_message,
                reasons=ending.reasons,
            ),
            polls_seen=task.polls_seen,
            is_settled=task.is_settled,
            has_directives=order.has_directives,
        )

    def order(self) -> Order:
        return Order(
            model_id=self.model_id,
            ratio=self.ratio,
            num_images=self.num_images,
            price_microusd=self.price_microusd,
            base_url=self.base_url,
            callback_url=self.callback_url,
            has_directives=self.has_directives,
        )


def restored_tasks(snapshots: Iterable[TaskSnapshot]) -> Iterator[Task]:
    """Yield the tasks; those with equal orders or endings share them, as after a submit."""
    orders: dict[Order, Order] = {}
    endings: dict[Ending, Ending] = {}
    for each in snapshots:
        order, ending = each.order(), each.plan.ending()
        yield Task(
            end_ms=each.plan.end_ms,
            ordinal=each.ordinal,
            id=each.id,
            prompt=each.prompt,
            created_ms=each.created_ms,
            start_ms=each.plan.start_ms,
            order=orders.setdefault(order, order),
            ending=endings.setdefault(ending, ending),
            polls_seen=each.polls_seen,
            is_settled=each.is_settled,
        )
