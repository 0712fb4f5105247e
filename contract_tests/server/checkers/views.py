"""The views of a task: each status response and each callback tells the same kind of data."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from contract_tests.server.checkers.shown import shown, shown_callback
from contract_tests.server.checkers.trace import Moment, Task, Trace

FINAL: Final = ("success", "failed")
RANKS: Final[Mapping[str, int]] = {"pending": 0, "processing": 1, "success": 2, "failed": 2}


class View(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The data of a task in one status response or callback."""

    task: Task
    data: Mapping[str, Any]
    shown: str
    number: int
    at: Moment | None = None
    is_callback: bool = False

    @property
    def state(self) -> Any:
        return self.data.get("state")

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


def views_of(task: Task) -> Iterator[View]:
    """Yield the status responses of a task, then its callbacks."""
    for seen in task.sightings:
        yield View(task=task, data=seen.members, shown=shown(seen), number=seen.number, at=seen.at)
    for callback in task.callbacks:
        if callback.members:
            yield View(
                task=task,
                data=callback.members,
                shown=shown_callback(callback),
                number=callback.number,
                is_callback=True,
            )


def all_views(trace: Trace) -> Iterator[View]:
    """Yield the views of all tasks whose sandbox can be judged."""
    for task in trace.tasks:
        if task.sandbox.is_plain:
            yield from views_of(task)


def has_member(trace: Trace, data: Mapping[str, Any], name: str) -> bool:
    """Return whether a member is present; on a live service null counts as absent."""
    return data.get(name) is not None if trace.target.is_live else name in data
