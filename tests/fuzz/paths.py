"""The property of errors that name a path: the path is one of the input."""

import json
import re

_STEP = r"([^.\[\]]+)|\[(\d+)\]"


def holder_exists(document: object, path: str) -> bool:
    """Tell whether a document has what contains the last member of a path.

    The member itself may be missing. Names of members that contain dots or brackets count as
    found, because a path does not escape them.
    """
    names = _names(document)
    if any(re.search(r"[.\[\]]", name) or len(name) > 100 or not name for name in names):
        return True
    steps = re.findall(_STEP, path)
    value = document
    for name, index in steps[:-1]:
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif name and isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return False
    return True


def is_json(raw: bytes) -> bool:
    """Tell whether the standard library reads this as JSON."""
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _names(document: object) -> set[str]:
    names: set[str] = set()
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            names |= value.keys()
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return names
