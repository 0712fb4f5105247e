"""The events of a sandbox, which the store and the followers of the sandbox receive."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeAlias

import msgspec

from mock_server.domain.journal import Entry
from mock_server.domain.task import Task


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A new entry of the journal."""

    number: int
    entry: Entry


class TasksEnded(msgspec.Struct, frozen=True, gc=False):
    """Tasks that were settled, in the order in which they ended."""

    tasks: Sequence[Task]


class Change(StrEnum):
    """Another change; a follower that needs details reads the sandbox."""

    CLOCK = "clock"  # The clock was moved, or its mode or speed changed.
    TASK = "task"  # The control plane ended a task.
    SETTINGS = "settings"  # The settings, the rules or the queue of `next` changed.
    DROPPED = "dropped"  # The state was dropped by a reset or replaced by a snapshot.
    REMOVED = "removed"  # The sandbox was removed; the store creates a new one for its key.


Event: TypeAlias = TasksEnded | Change
"""An event of a command: what it caused in its sandbox, besides its result."""
Notice: TypeAlias = Recorded | Event
"""What a store tells the followers of a sandbox."""
Follower: TypeAlias = Callable[[Notice], None]
"""A follower is called during the command. It must be quick, must not wait and must not raise."""
