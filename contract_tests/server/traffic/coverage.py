"""Counts what the scenarios of a run covered: combinations, values, and clauses in contexts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final, TypeAlias

from contract_tests.server.contexts import (
    Context,
    Coverage,
    CoveredClause,
    CoveredSize,
    CoveredValue,
)
from contract_tests.server.traffic.factors import FACTORS, SPACE

_SIZES: Final = (2, 3)
_LARGE: Final = 4  # Counted only if there are enough scenarios to cover most of them.
_MANY: Final = 1000  # scenarios

_Items: TypeAlias = tuple[tuple[str, str], ...]


def coverage_of(contexts: Sequence[Context]) -> Coverage | None:
    """Return what these scenarios covered, or None if no scenario was played."""
    if not contexts:
        return None
    rows = [_items_of(context) for context in contexts]
    sizes = (*_SIZES, _LARGE) if len(rows) >= _MANY else _SIZES
    scenarios = Counter(item for row in rows for item in row)
    judged = {clause for context in contexts for clause in context.clauses}
    return Coverage(
        scenarios=len(rows),
        combinations=tuple(
            CoveredSize(
                size=size,
                covered=len(_parts(rows, size)),
                possible=sum(1 for _ in SPACE.combinations(size)),
            )
            for size in sizes
        ),
        values=tuple(
            CoveredValue(factor=factor, value=value, scenarios=scenarios[factor, value])
            for factor, values in FACTORS.items()
            for value in values
        ),
        clauses=tuple(_clause(clause, contexts, rows) for clause in sorted(judged)),
    )


def _items_of(context: Context) -> _Items:
    """Return the values that are factors of the scenarios, in the order of the factors."""
    return tuple(
        (factor, context.values[factor])
        for factor in FACTORS
        if context.values.get(factor) in FACTORS[factor]
    )


def _parts(rows: Iterable[_Items], size: int) -> set[_Items]:
    return {part for row in rows for part in combinations(row, size)}


def _clause(clause: str, contexts: Sequence[Context], rows: Sequence[_Items]) -> CoveredClause:
    of_clause = [
        row for context, row in zip(contexts, rows, strict=True) if clause in context.clauses
    ]
    return CoveredClause(clause=clause, scenarios=len(of_clause), pairs=len(_parts(of_clause, 2)))
