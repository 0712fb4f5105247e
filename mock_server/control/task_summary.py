"""A task as the control plane lists it."""

from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from mock_server.control.answers import Instant
from mock_server.domain.task import Task, TaskState, state_at
from mock_server.web.result_addresses import result_urls

T = TypeVar("T")


class TaskSummary(msgspec.Struct, kw_only=True):
    """A final task has `complete_time_ms`, and `result_urls` or `fail_code` and `fail_msg`."""

    task_id: str
    model: str
    state: TaskState
    prompt: str
    aspect_ratio: str
    num_images: int
    request_type: Literal["async", "callback"]
    create_time_ms: Instant
    complete_time_ms: Instant | UnsetType = UNSET
    fail_code: str | UnsetType = UNSET
    fail_msg: str | UnsetType = UNSET
    result_urls: list[str] | UnsetType = UNSET

    @classmethod
    def of(cls, task: Task, now_ms: int, seed: int) -> "TaskSummary":
        order, ending, state = task.order, task.ending, state_at(task, now_ms)
        is_failed = state is TaskState.FAILED
        return cls(
            task_id=task.id,
            model=order.model_id,
            state=state,
            prompt=task.prompt,
            aspect_ratio=order.ratio,
            num_images=order.num_images,
            request_type="callback" if order.callback_url else "async",
            create_time_ms=task.created_ms,
            complete_time_ms=_if_known(task.end_ms) if state.is_final else UNSET,
            fail_code=_if_known(ending.fail_code) if is_failed else UNSET,
            fail_msg=_if_known(ending.fail_message) if is_failed else UNSET,
            result_urls=result_urls(task, seed) if state is TaskState.SUCCESS else UNSET,
        )


def _if_known(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value
