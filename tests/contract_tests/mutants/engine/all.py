"""Every mutant of the engine: each alteration in each context that is not excluded."""

from collections import Counter
from functools import cache
from itertools import product
from random import Random

from tests.contract_tests.mutants.engine.access import ACCESS
from tests.contract_tests.mutants.engine.alterations import EngineMutant, combined
from tests.contract_tests.mutants.engine.answers import ANSWERS
from tests.contract_tests.mutants.engine.contexts import CONTEXTS
from tests.contract_tests.mutants.engine.deliveries import DELIVERIES
from tests.contract_tests.mutants.engine.exclusions import exclusion_of
from tests.contract_tests.mutants.engine.members import MEMBERS
from tests.contract_tests.mutants.engine.money import MONEY
from tests.contract_tests.mutants.engine.pictures import PICTURES

ALTERATIONS = (*MEMBERS, *ANSWERS, *ACCESS, *PICTURES, *MONEY, *DELIVERIES)


_CONTEXTS_OF_EACH = 2
SEED = 1


@cache
def engine_mutants(seed: int = SEED) -> tuple[EngineMutant, ...]:
    """Return each alteration in a few of its contexts; another seed chooses others.

    All combinations would be thousands of mutants, which differ little from one another. Contexts
    that were chosen less often are chosen first, so that all occur about equally often.
    """
    chance, chosen = Random(seed), Counter[str]()
    mutants = []
    for alteration in ALTERATIONS:
        possible = [each for each in CONTEXTS if exclusion_of(alteration, each) is None]
        chance.shuffle(possible)
        possible.sort(key=lambda context: chosen[context.name])
        for context in possible[:_CONTEXTS_OF_EACH]:
            chosen[context.name] += 1
            mutants.append(combined(alteration, context))
    return tuple(mutants)


def combinations() -> int:
    """Return the number of combinations that are not excluded."""
    pairs = product(ALTERATIONS, CONTEXTS)
    return sum(exclusion_of(*pair) is None for pair in pairs)


def excluded() -> Counter[str]:
    """Return how many combinations each rule excludes, by its reason."""
    rules = (exclusion_of(*pair) for pair in product(ALTERATIONS, CONTEXTS))
    return Counter(rule.reason for rule in rules if rule is not None)
