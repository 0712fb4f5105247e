"""The pauses between status requests that the service recommends (TIM-2)."""

import math
from dataclasses import dataclass, fields, replace

_LONGEST_S = 1e9  # About 30 years: longer times would make instants inexact.


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """The pauses between status requests, in seconds since the submit was accepted.

    The first request is sent after `first_s`, then one every `every_s`.  Once the task is older
    than `usual_s`, each pause is `growth` times the one before, up to `max_s`.
    """

    first_s: float = 20.0  # TIM-2
    every_s: float = 3.0  # TIM-2
    usual_s: float = 30.0  # TIM-1
    growth: float = 1.25
    max_s: float = 15.0

    def __post_init__(self) -> None:
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise ValueError(f"polling.{name}: must be a number, 0 or more (got {value!r:.60})")
        if self.every_s <= 0 or self.growth < 1 or self.max_s < self.every_s:
            raise ValueError("polling: needs every_s > 0, growth >= 1 and max_s >= every_s")

    def first_pause_s(self, age_s: float | None) -> float:
        """Return the pause before the first request; 0 for a task of unknown age.

        A negative age counts as 0; a clock that was set back can cause it.
        """
        return 0.0 if age_s is None else max(0.0, self.first_s - max(0.0, age_s))

    def next_pause_s(self, last_pause_s: float, age_s: float) -> float:
        """Return the pause after a request that was sent at this age of the task."""
        if age_s < self.usual_s:
            return self.every_s
        return min(self.max_s, max(self.every_s, last_pause_s * self.growth))


def choose_polling(
    polling: Polling | None, poll_after_s: float | None, poll_every_s: float | None
) -> Polling:
    """Return the schedule of a client: the given one, or the advised one with these two times.

    A pause that the caller chose stays the same however old the task is.
    """
    chosen = {"poll_after_s": poll_after_s, "poll_every_s": poll_every_s}
    for name, value in chosen.items():
        if value is None:
            continue
        if polling is not None:
            raise ValueError(f"{name}: cannot be combined with polling")
        is_number = type(value) in {int, float} and math.isfinite(value)
        if not is_number or not 0 <= value <= _LONGEST_S:
            raise ValueError(f"{name}: must be a number of seconds, 0 or more (got {value!r:.60})")
    if poll_every_s == 0:
        raise ValueError("poll_every_s: must be more than 0 seconds (got 0)")
    schedule = Polling() if polling is None else polling
    if poll_after_s is not None:
        schedule = replace(schedule, first_s=poll_after_s)
    if poll_every_s is not None:
        schedule = replace(schedule, every_s=poll_every_s, max_s=poll_every_s)
    return schedule
