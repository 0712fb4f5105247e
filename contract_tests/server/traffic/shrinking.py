"""Finds the shortest scenario that still violates a clause."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from contract_tests.server.traffic import steps
from contract_tests.server.traffic.bodies import PLAIN
from contract_tests.server.traffic.scenarios import Scenario
from contract_tests.server.traffic.setup import Setup

Attempt = Callable[[Scenario], bool]
"""Plays a scenario in fresh sandboxes, and returns whether it still violates the clause."""

MOST_TRIES: Final = 80


def shrink(scenario: Scenario, still_fails: Attempt, *, tries: int = MOST_TRIES) -> Scenario:
    """Return the shortest scenario that was found with this many tries.

    First steps are removed, halves before single ones, then the rest is simplified.
    """
    left = tries
    is_changed = True
    while is_changed:
        is_changed = False
        for simpler in _simpler(scenario):
            if left == 0:
                return scenario
            left -= 1
            if still_fails(simpler):
                scenario, is_changed = simpler, True
                break
    return scenario


def _simpler(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios that are simpler, the simplest first."""
    yield from _with_fewer_steps(scenario)
    for setup in _plainer_setups(scenario):
        yield msgspec.structs.replace(scenario, setup=setup)
    for place, step in enumerate(scenario.steps):
        for plainer in _plainer_steps(step):
            changed = (*scenario.steps[:place], plainer, *scenario.steps[place + 1 :])
            yield msgspec.structs.replace(scenario, steps=changed)


def _with_fewer_steps(scenario: Scenario) -> Iterator[Scenario]:
    whole = scenario.steps
    size = len(whole) // 2
    while size:
        for start in range(len(whole) - size, -1, -size):
            kept = (*whole[:start], *whole[start + size :])
            yield msgspec.structs.replace(scenario, steps=kept)
        size //= 2


def _plainer_setups(scenario: Scenario) -> Iterator[Setup]:
    plain, setup = Setup(), scenario.setup
    used = {getattr(step, "key", None) for step in scenario.steps}
    keys = ("own", "other") if "other" in used else ("own",)
    for name in ("keys", "rate_limit", "max_tasks", "images_paid", "image_fail_codes"):
        value = keys if name == "keys" else getattr(plain, name)
        if getattr(setup, name) != value:
            yield msgspec.structs.replace(setup, **{name: value})


def _plainer_steps(step: steps.Step) -> Iterator[steps.Step]:
    if isinstance(step, steps.PassToEnd) and step.offset_s:
        yield steps.PassToEnd(task=step.task)
    elif isinstance(step, steps.Poll) and step.key:
        yield steps.Poll(task=step.task)
    elif isinstance(step, steps.Submit | steps.ReadBalance) and step.key != "own":
        yield msgspec.structs.replace(step, key="own")
    if isinstance(step, steps.Submit):
        yield from _without_callbacks(step)
        for name in ("provider", "request_type"):
            if name in step.body and not (name == "request_type" and step.receiver):
                yield msgspec.structs.replace(step, body=_without(step.body, name))
        given = step.body.get("input")
        if isinstance(given, dict):
            yield from _plainer_inputs(step, given)


def _without_callbacks(step: steps.Submit) -> Iterator[steps.Submit]:
    if step.receiver:
        body = _without(step.body, "request_type")
        yield msgspec.structs.replace(step, receiver="", reactions=(), body=body)
    if step.reactions:
        yield msgspec.structs.replace(step, reactions=step.reactions[:-1])


def _plainer_inputs(step: steps.Submit, given: Mapping[str, Any]) -> Iterator[steps.Submit]:
    def with_input(plainer: Mapping[str, Any], **changes: Any) -> steps.Submit:
        return msgspec.structs.replace(step, body={**step.body, "input": plainer}, **changes)

    if "image_urls" in given:
        yield with_input(_without(given, "image_urls"), references=())
    for name in ("aspect_ratio", "num_images"):
        if name in given:
            yield with_input(_without(given, name))
    if given.get("prompt") != PLAIN:
        yield with_input({**given, "prompt": PLAIN}, is_moderated=False)
    if given.get("mode") != "gpt-image-1":
        yield with_input({**given, "mode": "gpt-image-1"})


def _without(members: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in members.items() if each != name}
