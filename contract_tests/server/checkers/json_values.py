"""Decodes JSON of unknown quality."""

import json
from typing import Any, Final, TypeGuard

import msgspec

ABSENT: Final = object()
"""The value of a body that is not JSON, and of a member that is not there."""


def decoded(content: bytes) -> Any:
    """Return the value, or ABSENT if the content is not JSON."""
    try:
        return msgspec.json.decode(content)
    except (ValueError, msgspec.DecodeError, RecursionError):
        pass
    try:  # It is slower, but accepts unpaired surrogates and numbers of any size.
        return json.loads(content)
    except (ValueError, RecursionError):
        return ABSENT


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a JSON number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def members_of(value: Any) -> dict[str, Any]:
    """Return the members of an object, or none if it is not an object."""
    return value if isinstance(value, dict) else {}
