"""Finds responses of one kind that follow each other."""

from collections.abc import Callable, Iterator

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import API_OPERATIONS, HttpExchange


def streaks(
    evidence: Evidence, is_match: Callable[[HttpExchange], bool]
) -> Iterator[list[HttpExchange]]:
    """Yield each unbroken series of matching exchanges with one operation and path."""
    targets = dict.fromkeys((each.operation, each.path) for each in evidence.of(*API_OPERATIONS))
    for operation, path in targets:
        streak: list[HttpExchange] = []
        for each in evidence.of(operation):
            if each.path != path:
                continue
            if is_match(each):
                streak.append(each)
            elif streak:
                yield streak
                streak = []
        if streak:
            yield streak
