"""How hard properties are tried: a few examples in `make test`, many in `make test-deep`.

`--hypothesis-profile` chooses; `quick` is the default. CI has less time than `deep` takes, so it
uses `ci`.
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T")

_USUAL = 100  # examples of a property in Hypothesis's own default profile
_EXAMPLES = {"quick": 25, "ci": 75, "deep": 200}
_ONE_OF = 4  # `quick` tries one of so many cases of a long list.


def register_profiles() -> None:
    """Register the profiles and load `quick`.

    No profile measures time: a property must not fail because the machine is busy.
    """
    for name, number in _EXAMPLES.items():
        settings.register_profile(
            name,
            max_examples=number,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile("quick")


def examples(number: int, *, steps: int | None = None) -> settings:
    """Return settings for a property that needs more or fewer examples than others.

    `number` says how many it gets where others get 100; the profile scales it. `steps` bounds the
    steps of a state machine.
    """
    scaled = settings(max_examples=max(5, scale(number)))
    return scaled if steps is None else settings(scaled, stateful_step_count=steps)


def is_deep() -> bool:
    """Tell whether tests try all of a list, as with `deep` and `ci`, or a part of it."""
    return settings().max_examples > _EXAMPLES["quick"]


def part_of(cases: Sequence[T]) -> Sequence[T]:
    """Return the cases of a list that the profile in use tries: all, or some of them."""
    return cases if is_deep() else cases[::_ONE_OF]


def scale(number: int) -> int:
    """Return how many of `number` repetitions the profile in use asks for, at least one."""
    return max(1, number * settings().max_examples // _USUAL)
