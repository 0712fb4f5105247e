"""Covering arrays: few rows in which every possible combination of any n values occurs.

The rows are built greedily, one by one.  A row starts with a combination that no earlier row has;
each other factor gets the value that adds the most new combinations.  This takes a fraction of the
time of libraries that accept constraints, and the rows of pairs are the first rows of the triples.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from random import Random
from typing import Final, TypeAlias

import msgspec

Row: TypeAlias = dict[str, str]
"""A value for each factor."""

_Item: TypeAlias = int  # The number of one value of one factor.


class Exclusion(msgspec.Struct, frozen=True):
    """These values of one factor exclude those values of another one."""

    factor: str
    values: tuple[str, ...]
    other_factor: str
    other_values: tuple[str, ...]


class Space:
    """Factors with their values, and the pairs of values that exclude each other."""

    def __init__(
        self, factors: Mapping[str, Sequence[str]], exclusions: Iterable[Exclusion] = ()
    ) -> None:
        self.names: Final = tuple(factors)
        self.items: Final = tuple((name, value) for name in factors for value in factors[name])
        numbers = {item: number for number, item in enumerate(self.items)}
        self.of_factor: Final = tuple(
            tuple(numbers[name, value] for value in factors[name]) for name in factors
        )
        self.factor_of: Final = tuple(self.names.index(name) for name, _ in self.items)
        self.excludes: Final = [0] * len(self.items)
        """For each item the set of excluded items, as bits."""
        self._possible: dict[tuple[_Item, ...], bool] = {}
        for each in exclusions:
            for value, other in product(each.values, each.other_values):
                one, two = numbers[each.factor, value], numbers[each.other_factor, other]
                self.excludes[one] |= 1 << two
                self.excludes[two] |= 1 << one

    def row(self, chosen: Sequence[_Item]) -> Row:
        """Return a row of these items, one per factor."""
        return dict(self.items[number] for number in sorted(chosen))

    def items_of(self, row: Row) -> tuple[_Item, ...]:
        """Return the items of a row, in the order of the factors."""
        return tuple(self.items.index((name, row[name])) for name in self.names)

    def is_possible(self, chosen: Sequence[_Item]) -> bool:
        """Return whether any row has these items."""
        relevant = tuple(number for number in chosen if self.excludes[number])
        known = self._possible.get(relevant)
        if known is None:
            known = self._possible[relevant] = self._search(relevant)
        return known

    def combinations(self, strength: int) -> Iterator[tuple[_Item, ...]]:
        """Yield every possible combination of this many values of different factors."""
        for factors in combinations(self.of_factor, strength):
            for chosen in product(*factors):
                if self.is_possible(chosen):
                    yield chosen

    def _search(self, chosen: Sequence[_Item]) -> bool:
        """Return whether any row has these items, by trying values for the other factors."""
        banned = 0
        for number in chosen:
            banned |= self.excludes[number]
        if any(banned >> number & 1 for number in chosen):
            return False
        has = {self.factor_of[number] for number in chosen}
        left = [values for factor, values in enumerate(self.of_factor) if factor not in has]
        return self._extends(left, banned)

    def _extends(self, left: Sequence[Sequence[_Item]], banned: int) -> bool:
        """Return whether each of these factors can have a value."""
        free = [[each for each in values if not banned >> each & 1] for values in left]
        # A factor with a value that excludes nothing can always have that value.
        hard = [values for values in free if all(self.excludes[each] for each in values)]
        if not hard:
            return True
        first, *rest = sorted(hard, key=len)
        return any(self._extends(rest, banned | self.excludes[each]) for each in first)


def covering_array(
    space: Space, strength: int, *, seed: int, first: Sequence[Row] = ()
) -> list[Row]:
    """Return rows that cover every possible combination of `strength` values.

    The result begins with the rows of `first`. The same seed gives the same rows.
    """
    chance = Random(f"{seed}:{strength}")  # noqa: S311  # This is not a secret.
    wanted = list(space.combinations(strength))
    chance.shuffle(wanted)
    missing = _Missing(wanted)
    rows = list(first)
    for row in rows:
        missing.remove(space.items_of(row), strength)
    for combination in wanted:
        if combination in missing:
            chosen = _completed(space, combination, missing, strength, chance)
            missing.remove(chosen, strength)
            rows.append(space.row(chosen))
    return rows


class _Missing:
    """The combinations that no row has yet: for each of all but one value, the values left."""

    def __init__(self, wanted: Iterable[tuple[_Item, ...]]) -> None:
        self._left: dict[tuple[_Item, ...], int] = {}
        for combination in wanted:
            for place, number in enumerate(combination):
                rest = (*combination[:place], *combination[place + 1 :])
                self._left[rest] = self._left.get(rest, 0) | 1 << number

    def __contains__(self, combination: tuple[_Item, ...]) -> bool:
        return bool(self._left.get(combination[1:], 0) >> combination[0] & 1)

    def left_for(self, rests: Iterable[tuple[_Item, ...]]) -> list[int]:
        """Return for each of these combinations the values that are left, as bits."""
        left = self._left
        return [bits for rest in rests if (bits := left.get(rest, 0))]

    def remove(self, chosen: tuple[_Item, ...], strength: int) -> None:
        """Remove every combination that a row has."""
        for rest in combinations(chosen, strength - 1):
            if rest in self._left:
                for number in chosen:
                    self._left[rest] &= ~(1 << number)


def _completed(
    space: Space, start: tuple[_Item, ...], missing: _Missing, strength: int, chance: Random
) -> tuple[_Item, ...]:
    """Return a row with these items; each other factor gets the best value that is possible."""
    chosen = list(start)
    has = {space.factor_of[number] for number in chosen}
    order = [factor for factor in range(len(space.names)) if factor not in has]
    chance.shuffle(order)
    for factor in order:
        bits = missing.left_for(combinations(sorted(chosen), strength - 1))
        values = list(space.of_factor[factor])
        chance.shuffle(values)
        values.sort(key=lambda number: -sum(each >> number & 1 for each in bits))
        chosen.append(next(each for each in values if space.is_possible([*chosen, each])))
    return tuple(sorted(chosen))
