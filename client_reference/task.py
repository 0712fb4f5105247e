"""Tasks and generations: the values that the clients return."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FINAL_STATES = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The last known state of a task (STA-3 … STA-10).

    `state` is `pending`, `processing`, `success` or `failed`; any other state counts as not final.
    `create_time_ms` and `complete_time_ms` are Unix milliseconds of the service, `cost_time_ms` is
    a duration in milliseconds.  `extra` has the members that are not documented.
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
    """When the service accepted the submit, in epoch seconds of this client's clock.

    It is None if another program submitted the task."""

    @property
    def is_final(self) -> bool:
        """Whether the task has ended, so that its state never changes again (STA-5)."""
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A successful task and the URLs of its images, in order."""

    task: Task
    urls: tuple[str, ...]
