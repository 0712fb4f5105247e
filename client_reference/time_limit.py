"""The limit of the total time of a request.

httpx limits only the time between bytes, so a slow response could take forever.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from client_reference.errors import ApiTimeout


class TimeLimit:
    """The instant at which a request must have ended."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._until_s = time.monotonic() + timeout_s

    def __str__(self) -> str:
        return f"no complete response within {self._timeout_s:g} s"

    @property
    def left_s(self) -> float:
        """The time that is left in seconds; it is negative after the end."""
        return self._until_s - time.monotonic()

    def check(self) -> None:
        """Raise ApiTimeout if the time is over."""
        if self.left_s < 0:
            raise ApiTimeout(str(self))


_current: Final[ContextVar[TimeLimit | None]] = ContextVar("time_limit", default=None)


@contextmanager
def limit_network(time_limit: TimeLimit) -> Iterator[None]:
    """Apply a limit to what the current thread sends and receives inside the block.

    `LimitedBackend` obeys it.  A transport of the caller does not.
    """
    token = _current.set(time_limit)
    try:
        yield
    finally:
        _current.reset(token)


def current_limit() -> TimeLimit | None:
    """Return the limit of the current thread, or None."""
    return _current.get()
