"""Retry temporary errors with growing pauses; stamina counts and schedules the attempts."""

import logging
import random
from collections.abc import Callable

import stamina

from client_reference.errors import ApiError, ApixoError, NextAttempt
from client_reference.steps import Flow, T
from client_reference.timeline import Timeline

# Without logging configuration, Python would print a bare "stamina.retry_scheduled".
logging.getLogger("stamina").addHandler(logging.NullHandler())

LONGEST_CALL_S = 3600.0
"""The time limit for all retries of a call without its own deadline, in seconds."""

LONGEST_BACKOFF_S = 30.0
"""The longest pause before a retry that the service did not request, in seconds."""

_FIRST_BACKOFF_S = 1.0


def retry(
    attempt_once: Callable[[], Flow[T]],
    timeline: Timeline,
    *,
    max_retries: int,
    until_s: float,
    may_retry: Callable[[ApixoError], bool],
    longest_backoff_s: Callable[[ApixoError], float] = lambda _: LONGEST_BACKOFF_S,
) -> Flow[T]:
    """Return the result of a flow; retry it after temporary errors until `until_s`.

    `until_s` is an instant of the timeline, in epoch seconds.  An error that is retried has its
    `next_attempt` set while hooks of stamina are called.
    """
    pause_s: float | None = None

    def retry_without_pause(_: Exception) -> float | bool:
        """Return 0, so that stamina does not sleep: the pause is a step that the client does."""
        return False if pause_s is None else 0.0

    for attempt in stamina.retry_context(
        on=retry_without_pause,
        attempts=max_retries + 1,
        timeout=None,
        wait_initial=_FIRST_BACKOFF_S,
        wait_max=LONGEST_BACKOFF_S,
    ):
        with attempt:
            due_pause_s, pause_s = pause_s, None
            if due_pause_s is not None:
                yield from timeline.sleep(due_pause_s)
            try:
                return (yield from attempt_once())
            except ApixoError as error:
                if attempt.num <= max_retries and may_retry(error):
                    backoff_s = min(attempt.next_wait, longest_backoff_s(error))
                    pause_s = _pause_s(error, backoff_s, until_s - timeline.now_s())
                if pause_s is not None:
                    error.next_attempt = NextAttempt(
                        number=attempt.num + 1, of=max_retries + 1, pause_s=pause_s
                    )
                raise
    raise AssertionError("the last attempt returns or raises")


def _pause_s(error: ApixoError, backoff_s: float, left_s: float) -> float | None:
    """Return the pause before the next attempt in seconds, or None if there is no time for it.

    A pause that the service requested is never shortened.
    """
    if left_s <= 0:
        return None
    if isinstance(error, ApiError) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= left_s else None
    # Clients that fail at the same time should not retry at the same time.
    jitter = random.uniform(1.0, 1.5)  # noqa: S311
    return min(backoff_s * jitter, left_s)
