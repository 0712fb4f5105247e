"""Long work as a generator, which yields after each step of about a millisecond.

`control/slices.py` serves other requests between the steps. Where nobody waits, they run at once.
"""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def run_at_once(steps: Generator[None, None, T]) -> T:
    """Run a generator to its end, and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
