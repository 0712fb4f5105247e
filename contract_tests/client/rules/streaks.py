"""Finds responses of one kind that follow each other."""

from collections.abc import Callable, Iterator
from itertools import groupby

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import HttpExchange


def streaks(
    evidence: Evidence, is_match: Callable[[HttpExchange], bool]
) -> Iterator[list[HttpExchange]]:
    """Yield each unbroken series of matching attempts of one call."""
    for call in evidence.calls:
        for is_matching, attempts in groupby(call.attempts, is_match):
            if is_matching:
                yield list(attempts)
