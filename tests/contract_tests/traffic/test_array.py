"""Covering arrays: every possible combination occurs, and no impossible one."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.server.cases.traffic import dealt, rows_of
from contract_tests.server.traffic.array import Exclusion, Space, covering_array
from contract_tests.server.traffic.factors import SPACE
from tests.properties import examples

VALUES = ("a", "b", "c", "d")


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Generate three to five factors, with exclusions that leave at least the value `a` to all."""
    names = [f"f{number}" for number in range(draw(st.integers(3, 5)))]
    factors = {name: VALUES[: draw(st.integers(1, 4))] for name in names}
    pairs = draw(st.lists(st.sampled_from(list(combinations(names, 2))), max_size=4))
    exclusions = []
    for one, other in pairs:
        values = draw(st.sets(st.sampled_from(factors[one][1:] or ("a",)))) - {"a"}
        others = draw(st.sets(st.sampled_from(factors[other])))
        exclusions.append(Exclusion(one, tuple(values), other, tuple(others)))
    return Space(factors, exclusions)


def possible(space: Space, strength: int) -> set[tuple[tuple[str, str], ...]]:
    """Return all possible combinations, by looking at every row that there can be."""
    rows = {
        tuple(sorted(space.row(chosen).items())) for chosen in space.combinations(len(space.names))
    }
    return {part for row in rows for part in combinations(row, strength)}


@examples(100)
@given(spaces(), st.integers(2, 3), st.integers(0, 9))
def test_an_array_covers_every_possible_combination_and_no_other(
    space: Space, strength: int, seed: int
) -> None:
    rows = covering_array(space, strength, seed=seed)

    covered = {part for row in rows for part in combinations(tuple(sorted(row.items())), strength)}
    assert covered == possible(space, strength)


@pytest.mark.parametrize(("strength", "total"), [(2, 1415), (3, 21376)])
def test_the_scenarios_cover_every_combination_of_the_factors(strength: int, total: int) -> None:
    rows = rows_of(strength, 1)

    covered = {part for row in rows for part in combinations(SPACE.items_of(row), strength)}
    assert covered == set(SPACE.combinations(strength))
    assert len(covered) == total


def test_the_rows_of_triples_begin_with_the_rows_of_pairs() -> None:
    pairs, triples = rows_of(2, 4), rows_of(3, 4)

    assert triples[: len(pairs)] == pairs


def test_the_same_seed_gives_the_same_rows() -> None:
    assert covering_array(SPACE, 2, seed=3) == covering_array(SPACE, 2, seed=3)
    assert covering_array(SPACE, 2, seed=3) != covering_array(SPACE, 2, seed=4)


@pytest.mark.parametrize("seed", [1, 561705868])
def test_every_block_of_triples_has_every_prompt(seed: int) -> None:
    rows = rows_of(3, seed)
    prompts = {row["prompt"] for row in rows}
    blocks = dealt(3, seed, 8)

    assert [{rows[place]["prompt"] for place in block} for block in blocks] == [prompts] * 8
    assert sorted(place for block in blocks for place in block) == list(
        range(len(rows_of(2, seed)), len(rows))
    )
