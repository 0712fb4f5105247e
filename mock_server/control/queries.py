"""Words and numbers in the query of a control call."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from mock_server.control.replies import Refused
from mock_server.control.waiting import LONGEST_S
from mock_server.domain.durations import duration_ms
from mock_server.domain.nearest import did_you_mean

MAX_DIGITS = 15

E = TypeVar("E", bound=StrEnum)


def word(name: str, written: str | None, kind: type[E]) -> E | None:
    """Return the member of an enumeration that is written. Raises Refused, as they all do."""
    if written is None:
        return None
    try:
        return kind(written)
    except ValueError as error:
        known = [member.value for member in kind]
        raise Refused(400, f"{name}: is unknown{did_you_mean(written, known)}") from error


def whole(query: Mapping[str, str], name: str, default: int | None, least: int) -> int | None:
    written = query.get(name)
    if written is None:
        return default
    if not (written.isdecimal() and len(written) <= MAX_DIGITS and int(written) >= least):
        raise Refused(400, f"{name}: must be a whole number from {least} on")
    return int(written)


def seconds(query: Mapping[str, str], name: str, default_s: float) -> float:
    """Return how long to wait, in real time."""
    written = query.get(name)
    if written is None:
        return default_s
    try:
        length_s = duration_ms(written) / 1000
    except ValueError as error:
        raise Refused(400, f"{name}: {error}") from error
    if length_s > LONGEST_S:
        raise Refused(400, f"{name}: must be at most {LONGEST_S:g} s")
    return length_s
