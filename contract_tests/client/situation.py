"""A situation that the mock stages for a client in a separate sandbox."""

from collections.abc import Mapping
from typing import Any

import msgspec

Json = dict[str, Any]


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """The settings and rules of a sandbox in which a client is judged.

    `settings` and `staged` are JSON of the control plane: settings of the sandbox, and its rules.
    `judged` are the ids of the audit's rules that judge the client here.
    """

    id: str
    title: str
    judged: tuple[str, ...]
    staged: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = {}
    num_images: int = 1
    """The number of images to request. Other numbers than 1 require a client that can be told."""
    prompt_length: int = 0
    """The prompt has at least this many characters."""
    needs_receiver: bool = False
    """Whether the client must receive callbacks."""
    needs_polling: bool = False
    """Whether the situation is about status requests; then it requires a client that polls."""
    is_quick: bool = True
    """Whether it ends before a client gives up or gets a second delivery."""

    @property
    def shortest_s(self) -> float:
        """The seconds that a client spends here at least: until its task ends, with retries.

        A situation in which no task ends counts as 0.
        """
        effects = [rule["apply"] for rule in self.staged]
        outcomes = [effect["outcome"] for effect in effects if "outcome" in effect]
        waits = [effect["refuse"].get("retry_after") for effect in effects if "refuse" in effect]
        until_end_s = sum(
            float(str(outcome.get(phase, "0s")).removesuffix("s"))
            for outcome in outcomes
            for phase in ("pending", "processing")
        )
        return until_end_s + sum(wait for wait in waits if isinstance(wait, int))


def on_submit(**outcome: object) -> Json:
    """Return a rule that gives every task this outcome."""
    return {"match": {"operation": "submit"}, "apply": {"outcome": outcome}}


def on(operation: str, apply: Mapping[str, Any], **match: object) -> Json:
    """Return a rule that applies a fault to an operation; `match` narrows it (`times=1`)."""
    return {"match": {"operation": operation} | match, "apply": apply}
