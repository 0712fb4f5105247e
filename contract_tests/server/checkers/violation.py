"""What a checker finds: a clause that an exchange violates."""

from collections.abc import Callable, Iterator

import msgspec

from contract_tests.server.checkers.trace import Trace


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One violation; a report shows the first of each clause and `kind`.

    `event` is the number of the event that shows it. `is_choice` says that this project chose what
    is expected, although pages state the clause.
    """

    clause: str
    kind: str
    expected: str
    seen: str
    event: int
    is_choice: bool = False


Checker = Callable[[Trace], Iterator[Violation]]
"""Yields the violations in a trace. It is pure, and silent about what it cannot know."""
