"""The common part of cases about callbacks: callback tasks, and the finding if none arrives."""

from typing import Any

from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.world import RECEIVER

STILL_S = 0.1
"""The real time to wait for a callback that must not arrive, in seconds."""


def callback_body(name: str, **given: object) -> dict[str, Any]:
    """Return the body of a submit whose callback goes to this name of the kit's receiver."""
    asked = {"mode": "gpt-image-1", "prompt": "a red fox in the snow", **given}
    return {
        "request_type": "callback",
        "callback_url": f"{RECEIVER}/{name}",
        "input": asked,
    }


def accept_any_receiver(probe: Probe) -> None:
    """Make a mock accept the kit's receiver on loopback (SUB-5), with tasks of 30 s."""
    if probe.target.has_control:
        probe.change_settings(strict=False, generation_time=30)


def missing(probe: Probe, clause: str, expected: str) -> None:
    """Record that a callback did not arrive.

    Raises PreconditionNotMet if the receiver may be unreachable for the target.
    """
    if probe.target.is_live:
        raise PreconditionNotMet(f"no callback arrived at the kit's receiver; expected {expected}")
    if probe.target.has_control:
        blocked = [each for each in _deliveries(probe) if each.get("state") == "blocked"]
        if blocked:
            raise PreconditionNotMet(f"the mock cannot send to the kit's receiver: {blocked[0]}")
    probe.check(clause, holds=False, expected=expected, seen="no callback arrived")


def _deliveries(probe: Probe) -> list[dict[str, Any]]:
    told = probe.control("GET", "callbacks")
    deliveries = told.get("deliveries") if isinstance(told, dict) else None
    if not isinstance(deliveries, list):
        return []
    return [each for each in deliveries if isinstance(each, dict)]
