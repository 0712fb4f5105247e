"""What a sandbox tells whoever watches it, at the moment when it happens."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

import msgspec

from mock_server.domain.journal import Entry


class Recorded(msgspec.Struct, frozen=True):
    """An entry of the journal."""

    number: int
    entry: Entry


class Change(StrEnum):
    """What else has changed; who wants to know more looks."""

    CLOCK = "clock"  # moved by hand, or goes another way now
    TASK = "task"  # ended by control
    SETTINGS = "settings"  # settings, rules or the queue of the next
    DROPPED = "dropped"  # everything of the sandbox


News: TypeAlias = Recorded | Change
Watcher: TypeAlias = Callable[[News], None]
"""Is called within the operation, so it must be quick, must not wait and must not raise."""
