"""What happens in a sandbox, told to the store and to whoever follows the sandbox."""

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
    """Tasks whose end has been counted, in order of time."""

    tasks: Sequence[Task]


class Change(StrEnum):
    """Another change; a follower that needs details reads the sandbox."""

    CLOCK = "clock"  # Moved by hand, or another mode or speed.
    TASK = "task"  # Ended by control.
    SETTINGS = "settings"  # Settings, rules or the queue of next.
    DROPPED = "dropped"  # Everything of the sandbox, which begins again.
    REMOVED = "removed"  # The sandbox itself; the store makes a new one for its key.


Event: TypeAlias = Recorded | TasksEnded | Change
Follower: TypeAlias = Callable[[Event], None]
"""Is called during the command, so it must be quick, must not wait and must not raise."""
