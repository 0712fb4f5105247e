"""Tasks, and their state at any instant.

A stored task contains its plan: when it starts, when it ends and how. The state that a status
request returns is computed from the plan and the instant, without background work (STA-3 … STA-10).
"""

import re
from enum import StrEnum

import msgspec

_PREFIX = "task_"
_SUFFIX = "+=&?#%2F"  # In a query, these must be percent-encoded.
_SANDBOX = slice(len(_PREFIX), len(_PREFIX) + 16)
_CHANCE = slice(_SANDBOX.stop, _SANDBOX.stop + 16)
TASK_ID_PATTERN = rf"{_PREFIX}[0-9a-f]{{32}}(?:{re.escape(_SUFFIX)})?"


def task_id(sandbox_id: str, chance: bytes, *, is_reserved: bool = False) -> str:
    """Return a task id made of the sandbox's id and eight random bytes.

    With `is_reserved` it ends with characters that must be percent-encoded in a URL.
    """
    return f"{_PREFIX}{sandbox_id}{chance.hex()}{_SUFFIX if is_reserved else ''}"


def sandbox_id_in(task_id: str) -> str:
    """Return the id of the sandbox in which a task was submitted."""
    return task_id[_SANDBOX]


def forged_task_id(task_id: str) -> str:
    """Return an id of the same form that belongs to no task."""
    forged = "".join("1" if digit == "0" else "0" for digit in task_id[_CHANCE])
    return f"{task_id[: _CHANCE.start]}{forged}{task_id[_CHANCE.stop :]}"


class TaskState(StrEnum):
    """The documented states of a task (STA-4)."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"

    __hash__ = str.__hash__  # That of an enum is a Python function, five times as slow.

    @property
    def is_final(self) -> bool:
        return self in {TaskState.SUCCESS, TaskState.FAILED}


# In Python 3.11, these are much faster than the access to a member of the enum.
PENDING, PROCESSING, SUCCESS, FAILED = TaskState


class Order(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """What a client requests in a submit, without the prompt. Most tasks share an order."""

    model_id: str
    ratio: str
    num_images: int
    price_microusd: int  # The price of all images.
    base_url: str  # Scheme, host and port of the result URLs.
    callback_url: str | None
    has_directives: bool = False  # The prompt has directives, which are not drawn.


class Ending(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """How and why a task ends, without the time. Tasks that end alike share an ending.

    With `polls`, the n-th status request ends the task.
    """

    polls: int = 0
    fail_code: str | None = None
    fail_message: str | None = None
    reasons: tuple[str, ...] = ()  # One sentence for each step of the precedence that applied.


class Task(msgspec.Struct, frozen=True, order=True, gc=False, kw_only=True, array_like=True):
    """A submitted task. The server can store millions; a change creates a new object.

    Its plan is `start_ms`, `end_ms` and `ending`. Instants are Unix milliseconds of the sandbox's
    clock. `end_ms` is None while the end does not depend on time: until the last of the `polls`,
    or until the control plane ends the task. Tasks are ordered by `end_ms`, then by `ordinal`.
    """

    end_ms: int | None
    ordinal: int  # The n-th task of its sandbox, from 1.
    id: str
    prompt: str
    created_ms: int
    start_ms: int  # The task is pending until then, and processing afterwards.
    order: Order
    ending: Ending
    polls_seen: int = 0
    is_settled: bool = False  # The ledger has processed the end.

    @property
    def sandbox_id(self) -> str:
        return sandbox_id_in(self.id)

    @property
    def cost_time_ms(self) -> int:
        """How long an ended task was processing, in milliseconds (STA-10)."""
        return 0 if self.end_ms is None else self.end_ms - self.start_ms

    @property
    def ends_by_polls(self) -> bool:
        """Whether status requests decide when the task ends."""
        return self.end_ms is None and self.ending.polls > 0

    def polled(self) -> "Task":
        """Return the task after one more status request."""
        return msgspec.structs.replace(self, polls_seen=self.polls_seen + 1)

    def ended(self, now_ms: int) -> "Task":
        """Return the task with a plan that ends at this instant in the same way."""
        start_ms = min(self.start_ms, now_ms)
        return msgspec.structs.replace(self, start_ms=start_ms, end_ms=now_ms)


def state_at(task: Task, now_ms: int) -> TaskState:
    """Return the state of a task at an instant of its sandbox's clock."""
    end_ms = task.end_ms
    if end_ms is not None and now_ms >= end_ms:
        return FAILED if task.ending.fail_code else SUCCESS
    if task.ending.polls:
        return PENDING if task.polls_seen < 2 else PROCESSING
    return PENDING if now_ms < task.start_ms else PROCESSING
