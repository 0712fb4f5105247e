"""The steps of a scenario, as data: they can be played, removed, and simplified.

A step names a task by the name that its submit gave it.  A step about a task that does not exist,
because its submit was removed or rejected, does nothing.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from contract_tests.server.model.outcomes import Reference


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag="submit"):
    """Submit a body. `receiver` completes it with a `callback_url`.

    `receiver` is "kit" for the kit's receiver, which answers the attempts with `reactions`:
    (status, delay in seconds); "dead" for a port on which no server listens; or empty.
    """

    task: str
    body: Mapping[str, Any]
    key: str = "own"
    receiver: str = ""
    reactions: tuple[tuple[int, float], ...] = ()
    references: tuple[Reference, ...] = ()
    is_moderated: bool = False


class Poll(msgspec.Struct, frozen=True, kw_only=True, tag="poll"):
    """Read the status of a task, with its own key or another one."""

    task: str
    key: str | None = None


class ReadBalance(msgspec.Struct, frozen=True, kw_only=True, tag="balance"):
    key: str = "own"


class Download(msgspec.Struct, frozen=True, kw_only=True, tag="download"):
    """Download one result of a task; `index` counts from the end if it is negative."""

    task: str
    index: int = 0


class CheckCallbacks(msgspec.Struct, frozen=True, kw_only=True, tag="callbacks"):
    """Compare the callbacks of a task with the ones that are due."""

    task: str


class PassTime(msgspec.Struct, frozen=True, kw_only=True, tag="time"):
    """Let time pass for every key: `seconds`, or until shortly before or after an end."""

    seconds: float


class PassToEnd(msgspec.Struct, frozen=True, kw_only=True, tag="end"):
    """Let time pass until `offset_s` seconds after a task has ended (before it, if negative)."""

    task: str
    offset_s: float = 0.0


class Finish(msgspec.Struct, frozen=True, kw_only=True, tag="finish"):
    """End a task now through the control plane."""

    task: str
    state: str = "success"
    fail_code: str | None = None


Step: TypeAlias = (
    Submit | Poll | ReadBalance | Download | CheckCallbacks | PassTime | PassToEnd | Finish
)
