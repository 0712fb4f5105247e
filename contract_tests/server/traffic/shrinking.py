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

    First steps are removed, halves before single ones, then the rest is simplified. This is
    repeated until nothing can be removed any more.
    """
    search = _Search(scenario, still_fails, tries)
    while True:
        before = search.best
        search.remove_steps()
        search.simplify_setup()
        search.simplify_steps()
        if search.best is before or search.left == 0:
            return search.best


class _Search:
    """The best scenario so far, and the tries that are left."""

    def __init__(self, scenario: Scenario, still_fails: Attempt, tries: int) -> None:
        self.best = scenario
        self.left = tries
        self._still_fails = still_fails

    def remove_steps(self) -> None:
        size = max(1, len(self.best.steps) // 2)
        while size:
            start = len(self.best.steps) - size
            while start >= 0:
                kept = (*self.best.steps[:start], *self.best.steps[start + size :])
                self._try(msgspec.structs.replace(self.best, steps=kept))
                start -= size
            size //= 2

    def simplify_setup(self) -> None:
        for changes in _plainer_settings(self.best):
            setup = msgspec.structs.replace(self.best.setup, **changes)
            self._try(msgspec.structs.replace(self.best, setup=setup))

    def simplify_steps(self) -> None:
        for place in range(len(self.best.steps)):
            is_simpler = True
            while is_simpler:
                is_simpler = any(
                    self._try(_with_step(self.best, place, plainer))
                    for plainer in _plainer_steps(self.best.steps[place])
                )

    def _try(self, simpler: Scenario) -> bool:
        if self.left == 0:
            return False
        self.left -= 1
        if not self._still_fails(simpler):
            return False
        self.best = simpler
        return True


def _with_step(scenario: Scenario, place: int, step: steps.Step) -> Scenario:
    changed = (*scenario.steps[:place], step, *scenario.steps[place + 1 :])
    return msgspec.structs.replace(scenario, steps=changed)


def _plainer_settings(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """Yield the settings of a setup that are not the usual ones, with the usual value."""
    used = {getattr(step, "key", None) for step in scenario.steps}
    plain = Setup(keys=("own", "other") if "other" in used else ("own",), has_fixed_times=True)
    for name in (
        "has_fixed_times",
        "fetches_images",
        "keys",
        "rate_limit",
        "max_tasks",
        "images_paid",
        "image_fail_codes",
    ):
        if getattr(scenario.setup, name) != getattr(plain, name):
            yield {name: getattr(plain, name)}


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
