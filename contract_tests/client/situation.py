"""A situation that the mock stages for a client, in a sandbox of its own."""

from collections.abc import Mapping
from typing import Any

import msgspec

Json = dict[str, Any]


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What the mock does to the client.

    `settings` change the sandbox first, then `staged` become its rules: both are JSON of the
    control plane. `judged` holds the ids of the audit's rules that judge the client here.
    """

    id: str
    title: str
    judged: tuple[str, ...]
    staged: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = {}
    needs_receiver: bool = False
    """Whether the client must receive callbacks."""
    needs_polling: bool = False
    """Whether the situation is about status requests, so it cannot test a client without any."""
    is_quick: bool = True
    """Whether it ends before a client gives up or receives a second delivery."""


def on_submit(**outcome: object) -> Json:
    """Return a rule that gives every task this outcome."""
    return {"match": {"operation": "submit"}, "apply": {"outcome": outcome}}


def on(operation: str, apply: Mapping[str, Any], **match: object) -> Json:
    """Return a rule that applies a fault to an operation; `match` narrows it (`times=1`)."""
    return {"match": {"operation": operation} | match, "apply": apply}
