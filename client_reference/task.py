"""What the service tells of a task, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FINAL_STATES = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as last seen (STA-3 … STA-10).

    `state` is `pending`, `processing`, `success` or `failed`; a state that this client does not
    know counts as not ended.  Instants are Unix milliseconds of the service, the cost time is in
    milliseconds.  What the service says beyond the contract is in `extra`.
    """

    id: str
    state: str = "pending"
    result_urls: tuple[str, ...] = ()
    fail_code: str | None = None
    fail_msg: str | None = None
    create_time_ms: int | None = None
    complete_time_ms: int | None = None
    cost_time_ms: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)
    submitted_at_s: float | None = field(default=None, repr=False, compare=False)
    """When this client had it accepted, by its own clock; None for a task of somebody else."""

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A task that has ended in success, and the addresses of its pictures, one an image."""

    task: Task
    urls: tuple[str, ...]
