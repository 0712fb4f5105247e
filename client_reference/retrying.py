"""Repeats what is worth repeating, with growing pauses; stamina counts and spaces the attempts."""

import logging
import random
from collections.abc import Callable

import stamina

from client_reference.errors import ApiError, ApixoError
from client_reference.steps import Flow, T
from client_reference.timeline import Timeline

# Where nobody has set up logging, Python would print a bare "stamina.retry_scheduled".
logging.getLogger("stamina").addHandler(logging.NullHandler())

LONGEST_CALL_S = 3600.0  # for a call that has no deadline of its own
_FIRST_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 30.0


def repeated(
    once: Callable[[], Flow[T]],
    timeline: Timeline,
    *,
    max_retries: int,
    until_s: float,
    is_worth: Callable[[ApixoError], bool],
) -> Flow[T]:
    """Run the flow until it returns, or raises what is not worth another try or leaves no time."""
    pause_s: float | None = None

    def has_a_pause(_: Exception) -> float | bool:
        """Let stamina wait 0 seconds: the pause is a step, so that either client can do it."""
        return False if pause_s is None else 0.0

    for attempt in stamina.retry_context(
        on=has_a_pause,
        attempts=max_retries + 1,
        timeout=None,
        wait_initial=_FIRST_BACKOFF_S,
        wait_max=_LONGEST_BACKOFF_S,
    ):
        with attempt:
            pause_before_s, pause_s = pause_s, None
            if pause_before_s is not None:
                yield from timeline.sleep(pause_before_s)
            try:
                return (yield from once())
            except ApixoError as error:
                if is_worth(error):
                    left_s = until_s - timeline.now_s()
                    pause_s = _pause_s(error, attempt.next_wait, left_s)
                raise
    raise AssertionError("the last attempt returns or raises")


def _pause_s(error: ApixoError, backoff_s: float, left_s: float) -> float | None:
    """Return how long to wait before the next try, None when there is no time for one.

    What the service asks for is never shortened.
    """
    if left_s <= 0:
        return None
    if isinstance(error, ApiError) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= left_s else None
    spread = random.uniform(1.0, 1.5)  # noqa: S311  # clients that fail together part again
    return min(backoff_s * spread, left_s)
