"""A valid snapshot with one part changed: what a careless or hostile writer may send."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from tests.mock_server.e2e.api import Json

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[Any, Any]  # The container of the part, and its key or index.
Mutation: TypeAlias = tuple[str, Callable[[Place], str | None]]
"""A name and a change. If a change returns JSON (which Python cannot write), it is the new part."""

_MARK = "to be replaced"
_INTEGERS = (
    -(10**30), -(2**63), -(2**53), -1, 0, 1, 999, 2**31, 2**53, 2**61, 2**62 + 1, 2**63, 2**64,
    10**30,
)  # fmt: skip
_TEXTS = (
    "", "\0", "\r\nX-More: 1", "a\n", "x" * 100_000, "é" * 300, "<script>", "javascript:alert(1)",
    "http://[", "http://[:]/", "http://a:0/", "http://xn--a/", "http://127.0.0.1:9/\n", "%ff%0a",
)  # fmt: skip
_OTHERS: tuple[Any, ...] = (None, True, [], {}, [[]], {"a": 1}, 1.5)
_WRITTEN = (
    '"\\ud800"', '"\\udc00a"', "1e400", "-1e400", "5e-324", "1e308", "1" * 5000, "-0", "NaN",
    "[" * 3000 + "]" * 3000, '{"a":' * 900 + "1" + "}" * 900, '{"\\ud800":1}', '"\xff"', "",
)  # fmt: skip


def _set_to(value: Any) -> Mutation:
    def change(place: Place) -> None:
        holder, key = place
        holder[key] = copy.deepcopy(value)

    return f"={json.dumps(value)[:20]}", change


def _written(text: str) -> Mutation:
    def change(place: Place) -> str:
        holder, key = place
        holder[key] = _MARK
        return text

    return f"={text[:20]}", change


def _delete(place: Place) -> None:
    holder, key = place
    del holder[key]


def _repeat(place: Place) -> None:
    holder, key = place
    if isinstance(holder, list):
        holder += copy.deepcopy([holder[key]] * 3)
    else:
        holder[key] = [copy.deepcopy(holder[key])] * 3


def _rename(name: str) -> Mutation:
    def change(place: Place) -> None:
        holder, key = place
        if isinstance(holder, dict):
            holder[name] = holder.pop(key)
        else:
            holder.reverse()

    return f"renamed {name[:20]!r}", change


_OF_ANY: tuple[Mutation, ...] = (
    *map(_set_to, _OTHERS),
    *map(_written, _WRITTEN),
    *map(_rename, ("", "\0", "x" * 100_000, "1", str(2**70), "-1")),
    ("deleted", _delete),
    ("repeated", _repeat),
)
_OF_TYPE: dict[type, tuple[Mutation, ...]] = {
    int: tuple(map(_set_to, _INTEGERS)),
    str: tuple(map(_set_to, _TEXTS)),
}


def changes(document: Json) -> list[tuple[Path, Mutation]]:
    """Return all changes. Of parts whose paths differ only in an index, take the first one."""
    found: dict[Path, list[tuple[Path, Mutation]]] = {}
    for path, value in _parts(document):
        shape = tuple("*" if isinstance(step, int) else step for step in path)
        mutations = _OF_ANY + _OF_TYPE.get(type(value), ())
        found.setdefault((*shape, type(value).__name__), [(path, each) for each in mutations])
    return [each for group in found.values() for each in group]


def mutated(document: Json, path: Path, mutation: Mutation) -> bytes:
    """Return the document as JSON, with the part at this path changed."""
    changed: Any = copy.deepcopy(document)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    written = mutation[1]((holder, path[-1]))
    text = json.dumps(changed)
    if written is not None:
        text = text.replace(json.dumps(_MARK), written)
    return text.encode("latin-1")


def _parts(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _parts(inner, (*path, index))
