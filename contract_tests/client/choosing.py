"""Which situations are tried, and by which rules they are judged."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from contract_tests.client.situation import Situation
from contract_tests.client.situations import SITUATIONS

PROFILES: Final = ("quick", "full")


class Chosen(msgspec.Struct, frozen=True):
    """A situation, and the ids of the rules that it is judged by."""

    situation: Situation
    rules: frozenset[str]


def chosen(select: Sequence[str], profile: str) -> tuple[Chosen, ...]:
    """Choose by globs over the ids of cases and rules; without any by profile."""
    found = []
    for situation in SITUATIONS:
        rules = frozenset(situation.judged)
        if not select:
            if profile == "full" or situation.is_quick:
                found.append(Chosen(situation, rules))
            continue
        if not _is_one(situation.id, select):
            rules = frozenset(each for each in situation.judged if _is_one(each, select))
        if rules:
            found.append(Chosen(situation, rules))
    return tuple(found)


def nearest(glob: str) -> str:
    """Return the id that is most like it; empty where none is."""
    judged = (rule for situation in SITUATIONS for rule in situation.judged)
    ids = dict.fromkeys((*(situation.id for situation in SITUATIONS), *judged))
    return next(iter(get_close_matches(glob.upper(), ids, n=1)), "")


def _is_one(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
