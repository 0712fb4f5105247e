"""What a task is doing at a given moment.

A stored task holds its whole future, its plan. Whatever a status request sees is worked out
here from the plan and the instant; nothing ticks in the background (STA-3 … STA-10).
"""

import re
from enum import StrEnum

import msgspec

RESERVED_SUFFIX = "+=&?#%2F"  # a query says something else unless these are percent-encoded
TASK_ID = rf"task_[0-9a-f]{{32}}(?:{re.escape(RESERVED_SUFFIX)})?"


class TaskState(StrEnum):
    """STA-4."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in {TaskState.SUCCESS, TaskState.FAILED}


class Plan(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The life of a task. Instants in Unix milliseconds of the sandbox's clock.

    `end_ms` is None as long as something else than time decides: the n-th status request
    (`polls`), or control (`polls` is 0: the task is held).
    """

    start_ms: int  # pending until then
    end_ms: int | None
    polls: int = 0
    fail_code: str | None = None
    fail_message: str | None = None
    reasons: tuple[str, ...] = ()  # one sentence a step of the precedence that applied

    def __post_init__(self) -> None:
        if self.end_ms is not None and self.start_ms > self.end_ms:
            raise ValueError("a plan cannot end before it starts")


class Task(msgspec.Struct, gc=False, kw_only=True):
    """A million of these are kept: mutable where a status request or control may change it."""

    id: str  # task_, its sandbox's id, 16 more hex digits, perhaps RESERVED_SUFFIX
    model_id: str
    ordinal: int  # the n-th task of its sandbox
    prompt: str
    ratio: str
    num_images: int
    price_microusd: int  # of all its images
    base_url: str  # where its results are served
    callback_url: str | None
    created_ms: int
    plan: Plan
    polls_seen: int = 0
    is_settled: bool = False  # the end has been counted and paid
    has_directives: bool = False  # they are no part of what is drawn

    @property
    def sandbox_id(self) -> str:
        """A task finds its way back to its sandbox by its id, in any process."""
        return self.id[5:21]


def state_at(task: Task, now_ms: int) -> TaskState:
    """Return the state of a task as a request at this instant sees it."""
    plan = task.plan
    end_ms = plan.end_ms
    if end_ms is not None and now_ms >= end_ms:
        return TaskState.FAILED if plan.fail_code else TaskState.SUCCESS
    if plan.polls:
        return TaskState.PENDING if task.polls_seen < 2 else TaskState.PROCESSING
    return TaskState.PENDING if now_ms < plan.start_ms else TaskState.PROCESSING


def cost_time_ms(plan: Plan) -> int:
    """Return how long an ended task was processing (STA-10)."""
    return 0 if plan.end_ms is None else plan.end_ms - plan.start_ms


def ending_now(plan: Plan, now_ms: int) -> Plan:
    """Return the plan of a task that ends at this instant, its outcome unchanged."""
    return msgspec.structs.replace(plan, start_ms=min(plan.start_ms, now_ms), end_ms=now_ms)
