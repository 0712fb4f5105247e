"""What a task is doing at a given moment.

A stored task holds its whole future, its plan. Whatever a status request sees is worked out
here from the plan and the instant; nothing ticks in the background (STA-3 … STA-10).
"""

import re
from enum import StrEnum

import msgspec

_PREFIX = "task_"
_SUFFIX = "+=&?#%2F"  # A query says something else unless these are percent-encoded.
_SANDBOX = slice(len(_PREFIX), len(_PREFIX) + 16)
_CHANCE = slice(_SANDBOX.stop, _SANDBOX.stop + 16)
TASK_ID_PATTERN = rf"{_PREFIX}[0-9a-f]{{32}}(?:{re.escape(_SUFFIX)})?"


def task_id(sandbox_id: str, chance: bytes, *, is_reserved: bool = False) -> str:
    """Return an id: the sandbox's id and eight bytes of chance.

    A reserved one ends with characters that a URL must escape.
    """
    return f"{_PREFIX}{sandbox_id}{chance.hex()}{_SUFFIX if is_reserved else ''}"


def sandbox_id_in(task_id: str) -> str:
    """Return the id of the sandbox in which a task was submitted, in any process."""
    return task_id[_SANDBOX]


def forged_task_id(task_id: str) -> str:
    """Return an id of the same form that belongs to no task."""
    forged = "".join("1" if digit == "0" else "0" for digit in task_id[_CHANCE])
    return f"{task_id[: _CHANCE.start]}{forged}{task_id[_CHANCE.stop :]}"


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


class Task(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A submitted task. A million of these are kept; a change makes a new one."""

    id: str
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
        return sandbox_id_in(self.id)

    def polled(self) -> "Task":
        """Return the task after one more status request."""
        return msgspec.structs.replace(self, polls_seen=self.polls_seen + 1)


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
