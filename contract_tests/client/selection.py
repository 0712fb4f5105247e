"""Selects the situations to stage, and the rules that judge each of them."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from contract_tests.client.situation import Situation
from contract_tests.client.situations import SITUATIONS

SUITES: Final = ("quick", "full")


class CasePlan(msgspec.Struct, frozen=True):
    """A situation to stage, and the ids of the rules that judge the client in it."""

    situation: Situation
    rules: frozenset[str]


def plan_cases(select: Sequence[str], suite: str) -> tuple[CasePlan, ...]:
    """Return the cases that match `select`, globs over ids of cases and rules.

    A glob that matches a rule selects every case that judges it, by that rule alone. Without
    globs, return all cases of `suite`.
    """
    plans = []
    for situation in SITUATIONS:
        rules = frozenset(situation.judged)
        if not select:
            if suite == "full" or situation.is_quick:
                plans.append(CasePlan(situation, rules))
            continue
        if not _matches(situation.id, select):
            rules = frozenset(rule for rule in situation.judged if _matches(rule, select))
        if rules:
            plans.append(CasePlan(situation, rules))
    return tuple(plans)


def closest_id(glob: str) -> str:
    """Return the id of a case or rule that is most similar to `glob`; empty if none is."""
    rules = (rule for situation in SITUATIONS for rule in situation.judged)
    ids = dict.fromkeys((*(situation.id for situation in SITUATIONS), *rules))
    return next(iter(get_close_matches(glob.upper(), ids, n=1)), "")


def _matches(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
