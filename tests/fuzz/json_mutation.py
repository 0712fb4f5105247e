"""Change a JSON document in one place, because changed bytes are seldom valid JSON."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**62, 2**63, -(2**63) - 1, 10**30, 0.5, 1e308, "",
    " ", "\0", "a\r\nb", "\u0301", "\ufdfa", "é" * 40, "x" * 300, [], {}, [[]], [None],
    {"": None}, "success", "callback", "2s", "every 2", "2..4", "[[mock hold]]", "(a|a)*$",
)  # fmt: skip
_Place = tuple[Any, Any]  # The container of a value, and its key.


def mutate(raw: bytes, rng: Random) -> bytes | None:
    """Return a document that differs in a few places; None if this is no JSON with members."""
    try:
        document = json.loads(raw)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            places = list(_places(document))
            if not places:
                return None
            _change(places, rng)
        return json.dumps(document, ensure_ascii=rng.random() < 0.5).encode()
    except (ValueError, RecursionError):
        return None


def _places(value: Any) -> list[_Place]:
    found: list[_Place] = []
    waiting = [value] if isinstance(value, dict | list) else []
    while waiting and len(found) < 10_000:
        each = waiting.pop()
        keys: Any = each if isinstance(each, dict) else range(len(each))
        if isinstance(each, dict | list):
            for key in keys:
                found.append((each, key))
                if isinstance(each[key], dict | list):
                    waiting.append(each[key])
    return found


def _change(places: list[_Place], rng: Random) -> None:
    holder, key = rng.choice(places)
    other, other_key = rng.choice(places)
    change = rng.choice(_CHANGES)
    holder[key] = change(holder[key], other[other_key], rng)
    if rng.random() < 0.1:
        del holder[key]
    elif rng.random() < 0.1 and isinstance(holder, list):
        holder.append(holder[key])
    elif rng.random() < 0.1 and isinstance(holder, dict):
        holder[str(other_key)] = holder.pop(key)


def _near(value: Any, _: Any, rng: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + rng.choice((-1, 1, -value, value, 2**32))
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        return value[:at] + chr(rng.choice((0, 0x20, 0x22, 0x5B, 0x5D, 0x301, 0xFFFD))) + value[at:]
    return value


_CHANGES: tuple[Callable[[Any, Any, Random], Any], ...] = (
    _near,
    lambda _, other, rng: json.loads(json.dumps(other)),
    lambda _, other, rng: rng.choice(ODD_VALUES),
    lambda value, _, rng: [value],
    lambda value, _, rng: value * 2 if isinstance(value, str | list) else value,
    lambda value, _, rng: value[:-1] if isinstance(value, str | list) else value,
)
