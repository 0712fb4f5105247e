"""Predicts how a task ends, from its prompt and its reference images (FAIL-1, FAIL-2, FAIL-4)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from contract_tests.server.model.facts import Facts

VIOLATION: Final = "CONTENT_VIOLATION"  # FAIL-1
UNREADABLE: Final = "INVALID_IMAGE_URL"  # FAIL-2


class Reference(StrEnum):
    """The kinds of reference images."""

    GOOD = "good"
    UNREACHABLE = "unreachable"
    WRONG_FORMAT = "wrong-format"
    TOO_LARGE = "too-large"
    NO_IMAGE = "no-image"


_DOCUMENTED: Final = {  # FAIL-4
    Reference.UNREACHABLE: UNREADABLE,
    Reference.WRONG_FORMAT: "UNSUPPORTED_FORMAT",
    Reference.TOO_LARGE: "IMAGE_TOO_LARGE",
    Reference.NO_IMAGE: "UNSUPPORTED_FORMAT",
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The possible ends of a task. `clause` says why; `codes` are empty if it succeeds."""

    ends: frozenset[str]
    codes: frozenset[str] = frozenset()
    clause: str


def outcome_of(references: tuple[Reference, ...], facts: Facts, *, is_moderated: bool) -> Outcome:
    """Return how a task ends that has such images, and a prompt that is moderated or not."""
    bad = [each for each in references if each is not Reference.GOOD]
    codes = {VIOLATION} if is_moderated else set()
    for kind in bad:
        codes |= _codes_of(kind, facts.image_fail_codes)
    if not codes:
        clause = "SUB-13" if references else "SUB-1"
        return Outcome(ends=frozenset({"success"}), clause=clause)
    return Outcome(ends=frozenset({"failed"}), codes=frozenset(codes), clause=_clause_of(bad))


def _codes_of(kind: Reference, side: str | None) -> set[str]:
    if side == "seed":
        return {UNREADABLE}
    if side == "docs":
        return {_DOCUMENTED[kind]}
    return {UNREADABLE, _DOCUMENTED[kind]}


def _clause_of(bad: Sequence[Reference]) -> str:
    if not bad:
        return "FAIL-1"
    return "FAIL-2" if Reference.UNREACHABLE in bad else "FAIL-4"
