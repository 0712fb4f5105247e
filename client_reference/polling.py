"""When to ask how a task is doing, as the service advises (TIM-2)."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """First after `first_s`, then every `every_s`; past the usual duration ever more rarely.

    Past `usual_s` seconds of a task's life each pause is `growth` times the one before, up to
    `max_s`.  All in seconds, counted from the moment when the submit was accepted.
    """

    first_s: float = 20.0  # TIM-2
    every_s: float = 3.0  # TIM-2
    usual_s: float = 30.0  # TIM-1
    growth: float = 1.25
    max_s: float = 15.0

    def __post_init__(self) -> None:
        for name in ("first_s", "every_s", "usual_s", "growth", "max_s"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise ValueError(f"polling.{name}: must be a number, 0 or more")
        if self.every_s <= 0 or self.growth < 1 or self.max_s < self.every_s:
            raise ValueError("polling: needs every_s > 0, growth >= 1 and max_s >= every_s")

    def first_pause_s(self, age_s: float | None) -> float:
        """Return the pause before the first question; none for a task of unknown age.

        A task that seems to come from the future, by a clock that was set back, counts as new.
        """
        return 0.0 if age_s is None else max(0.0, self.first_s - max(0.0, age_s))

    def next_pause_s(self, before_s: float, age_s: float) -> float:
        """Return the pause after a question asked at this age; `before_s` was the last pause."""
        if age_s < self.usual_s:
            return self.every_s
        return min(self.max_s, max(self.every_s, before_s * self.growth))
