"""What is wrong with a definition that somebody wrote, and where."""

from collections.abc import Collection, Mapping

from mock_server.domain.errors import RuleError
from mock_server.domain.nearest import did_you_mean

MAX_LENGTH = 1000  # of a text of which nothing else is said


def known_members(value: object, path: str, known: Collection[str]) -> dict[str, object]:
    """Return the members of an object, without those that are null; refuse unknown ones."""
    if not isinstance(value, Mapping):
        raise RuleError(path, "must be an object")
    for name in value:
        if name not in known:
            raise RuleError(
                f"{path}.{str(name)[:100]}", f"is unknown{did_you_mean(str(name), known)}"
            )
    return {name: each for name, each in value.items() if each is not None}


def word(value: object, path: str, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise RuleError(path, f"{str(value)[:100]!r} is unknown{did_you_mean(str(value), known)}")
    return value


def text(value: object, path: str, max_length: int = MAX_LENGTH) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= max_length:
        raise RuleError(path, f"must be a string of 1 to {max_length} characters")
    return value


def whole(value: object, path: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(path, f"must be a whole number from {least} to {most}")
    return value


def number(value: object, path: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RuleError(path, f"must be a number from {least:g} to {most:g}")
    return float(value)
