"""What the service says about a task, and what a successful task gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FINAL_STATES = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as last seen (STA-3 … STA-10).

    `state` is `pending`, `processing`, `success` or `failed`; any other state counts as not final.
    `create_time_ms` and `complete_time_ms` are Unix milliseconds of the service, `cost_time_ms` is
    a duration in milliseconds.  `extra` has the members that the contract does not name.
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
    """When the service accepted the submit, by this client's clock; None for a task that another
    program submitted."""

    @property
    def is_final(self) -> bool:
        """Whether the task has ended, so that its state never changes again (STA-5)."""
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A task that ended in success, and the URLs of its images, in order."""

    task: Task
    urls: tuple[str, ...]
