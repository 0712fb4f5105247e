"""A case of the audit: a situation that the mock stages in a fresh sandbox, and who is asked."""

from collections.abc import Mapping
from typing import Any

import msgspec

Json = dict[str, Any]


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """`staged` are rules of the control plane; `settings` go into the sandbox before.

    `judged` are the ids of the audit's rules that this situation is for.
    """

    id: str
    title: str
    judged: tuple[str, ...]
    staged: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = {}
    needs_receiver: bool = False
    needs_polling: bool = False
    """It is about answers to status requests: none for a client that waits for callbacks."""
    is_quick: bool = True
    """No client has to give up, or to wait for a second delivery, before it ends."""


def submit(**outcome: object) -> Json:
    """Let every task of the case go like this."""
    return {"match": {"operation": "submit"}, "apply": {"outcome": outcome}}


def on(operation: str, apply: Mapping[str, Any], **match: object) -> Json:
    return {"match": {"operation": operation} | match, "apply": apply}
