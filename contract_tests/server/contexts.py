"""The contexts in which clauses were judged: combinations of what a client does."""

from collections.abc import Mapping

import msgspec


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario: the value of each factor, and the clauses that were judged in it."""

    values: Mapping[str, str]
    clauses: tuple[str, ...]


class CoveredSize(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the possible combinations of `size` values occurred in a scenario."""

    size: int
    covered: int
    possible: int


class CoveredValue(msgspec.Struct, frozen=True, kw_only=True):
    """The number of scenarios with one value of a factor."""

    factor: str
    value: str
    scenarios: int


class CoveredClause(msgspec.Struct, frozen=True, kw_only=True):
    """The number of scenarios in which a clause was judged, and in which pairs of values."""

    clause: str
    scenarios: int
    pairs: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What the scenarios of a run covered."""

    scenarios: int
    combinations: tuple[CoveredSize, ...]
    values: tuple[CoveredValue, ...]
    clauses: tuple[CoveredClause, ...]
