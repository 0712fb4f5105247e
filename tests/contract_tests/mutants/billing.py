"""Mutants of BIL."""

from collections.abc import Callable
from dataclasses import replace

from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Told, answers
from tests.contract_tests.mutants.steering import BALANCE

FULL = 100_000.0  # what a key begins with


def _balance(change: Callable[[float], object]) -> Callable[[], Break]:
    def changed(asked: Asked, told: Told) -> Told:
        if asked.path != BALANCE or told.status != 200:
            return told
        return told.with_json(told.json | {"data": change(told.json["data"])})

    return answers(changed)


def _by_task(dollars: float) -> float:
    """Bill a task, however many images it has."""
    images = round((FULL - dollars) / 0.035)
    return FULL - 0.035 * {0: 0, 1: 1, 3: 2, 7: 3}.get(images, images)


def _hidden(asked: Asked, told: Told) -> Told:
    return replace(told, status=404) if asked.path == BALANCE and told.status == 200 else told


def _by_four(dollars: float) -> float:
    """Bill four images as three."""
    images = round((FULL - dollars) / 0.035)
    return FULL - 0.035 * (images - 1 if images >= 7 else images)


MUTANTS = (
    Mutant(name="billed-by-task", clause="BIL-1", make=_balance(_by_task)),
    Mutant(name="a-discount-for-four", clause="BIL-1", make=_balance(_by_four)),
    Mutant(name="never-billed", clause="BIL-1", make=_balance(lambda _: FULL)),
    Mutant(name="balance-is-a-text", clause="BIL-2", make=_balance(str)),
    Mutant(name="balance-in-an-object", clause="BIL-2", make=_balance(lambda d: {"balance": d})),
    Mutant(name="balance-in-cents", clause="BIL-2", make=_balance(lambda d: d * 100)),
    Mutant(name="no-balance", clause="BIL-2", make=answers(_hidden)),
    Mutant(
        name="ten-times-the-price",
        clause="BIL-3",
        make=_balance(lambda d: FULL - (FULL - d) * 10),
    ),
)
