"""Decode values into msgspec types; errors name the path, the problem and the valid values.

This is the only module that reads the messages of msgspec.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta

from mock_server.domain.errors import InvalidValue, quoted
from mock_server.domain.nearest import did_you_mean

T = TypeVar("T")

_LONGEST_UNTYPED = 4 * 1024 * 1024  # In bytes. Plain values need up to 25 times as many.
_LONGEST_SHOWN = 60  # The number of characters of a value that an error shows.
_AT = (
    r"(?s)(.*) - at (`key` in )?`\$\.?([^`]*)`"  # The last match counts: a value may look like it.
)
_UNKNOWN = r"(?s)Object contains unknown field `(.*)`"
_MISSING = r"Object missing required field `(.*?)`"
_STEP = r"([^.\[\]]+)|\[(\d+|\.\.\.)\]"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an error message of msgspec."""

    path: str  # Such as `input.image_urls[2]`; empty for the whole value.
    missing: str | None = None  # The required member that is missing.
    unknown: str | None = None  # The member that the type does not have.
    is_name: bool = False  # The name of a member is invalid, not a value.


def read_message(error: msgspec.ValidationError) -> Message:
    """Return the parts of a validation error of msgspec."""
    text = str(error)
    found = re.fullmatch(_AT, text)
    problem, path = (found[1], found[3]) if found else (text, "")
    missing, unknown = re.match(_MISSING, problem), re.match(_UNKNOWN, problem)
    return Message(
        path=path,
        missing=missing[1] if missing else None,
        unknown=unknown[1] if unknown else None,
        is_name=found is not None and found[2] is not None,
    )


def decode_json(raw: bytes | msgspec.Raw, kind: type[T], whole: str = "body", path: str = "") -> T:
    """Return a JSON document as this type.

    Raise InvalidValue. `whole` names the document, and `path` is the position of `raw` in it.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise _explained(error, _untyped(raw), kind, path, whole) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValue(whole, f"must be one JSON object in UTF-8; {error}") from error


def convert(value: object, kind: type[T], path: str = "", whole: str = "body") -> T:
    """Return a decoded value as this type.

    Raise InvalidValue. Its path begins with `path`; if that is empty, `whole` names the value.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _explained(error, value, kind, path, whole) from error


def joined(path: str, name: str) -> str:
    """Return the path of a member."""
    return f"{path}.{name}" if path else name


def _explained(
    error: msgspec.ValidationError, value: object, kind: Any, path: str, whole: str
) -> InvalidValue:
    message = read_message(error)
    try:
        at, kind, value = _walk(message.path, path, kind, value)
    except LookupError:  # The name of an unknown member looks like a path.
        return InvalidValue(path or whole, "contains an unknown member")
    if message.unknown is not None:
        hint = did_you_mean(message.unknown, _fields(_part(kind, _is_object)))
        return InvalidValue(joined(at, message.unknown[:100]), f"is unknown{hint}")
    if message.missing is not None:
        return InvalidValue(joined(at, message.missing), "is required", is_missing=True)
    if message.is_name:
        name_kind = get_args(_part(kind, _is_object))[0]
        return InvalidValue(at or whole, f"has a member whose name is not {describe(name_kind)}")
    return InvalidValue(at or whole, _problem(kind, value))


def _walk(steps: str, at: str, kind: Any, value: object) -> tuple[str, Any, object]:
    """Return the path, type and value at these steps. Raise LookupError if there is none."""
    for name, index in re.findall(_STEP, steps):
        if index == "...":
            kind = get_args(_part(kind, _is_object))[1]
            member, value = _first_invalid(kind, value)
            at = joined(at, member)
        elif index:
            kind = _item_kind(_part(kind, _is_list), int(index))
            value = _item(value, int(index))
            at = f"{at}[{index}]"
        else:
            kind = _fields(_part(kind, _is_object))[name]
            value = _item(value, name)
            at = joined(at, name)
    return at, kind, value


def value_at(raw: bytes, path: str) -> object:
    """Return the value at this path of a JSON document; UNSET if there is none."""
    value = _untyped(raw)
    for name, index in re.findall(_STEP, path):
        value = _item(value, int(index) if index else name)
    return value


def _untyped(raw: bytes | msgspec.Raw) -> object:
    """Return the document as plain values; UNSET if it is malformed after the first error.

    UNSET also stands for a long document, because errors only show its values.
    """
    if len(memoryview(raw)) > _LONGEST_UNTYPED:
        return UNSET
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNSET


def _item(value: object, key: str | int) -> object:
    """Return a member or an item; UNSET if it does not exist, as after a repeated member."""
    if isinstance(value, Mapping) and isinstance(key, str):
        return value.get(key, UNSET)
    if isinstance(value, list | tuple) and isinstance(key, int) and key < len(value):
        return value[key]
    return UNSET


def _problem(kind: Any, value: object) -> str:
    words = list(_words(kind))
    if isinstance(value, str) and words and _form(kind) is None:
        return f"{quoted(value)} is unknown{did_you_mean(value, words)}"
    received = "" if value is UNSET else f" (got {shown(value)})"
    return f"must be {describe(kind)}{received}"


def shown(value: object) -> str:
    """Return a value as errors show it: as JSON, truncated to 60 characters."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def describe(kind: Any) -> str:
    """Return a description of the values that a type accepts: `a whole number from 1 to 100`.

    `Meta(extra={"form": "a duration such as 2s"})` overrides the description of a type.
    """
    form = _form(kind)
    if form is not None:
        return form
    bare, meta = _without_meta(kind)
    if get_origin(bare) in {Union, UnionType}:
        told = (describe(each) for each in get_args(bare) if each is not NoneType)
        return " or ".join(dict.fromkeys(told))
    words = list(_words(bare))
    if words:
        return f"one of {', '.join(words)}"
    if bare in _NOUNS:
        noun, write_limits = _NOUNS[bare]
        return noun + write_limits(meta)
    if _is_list(bare):
        is_fixed = _is_fixed(bare)
        return "a list" + (
            f" of {len(get_args(bare))} items" if is_fixed else _length(meta, "items")
        )
    return "an object" + _length(meta, "members")


def _form(kind: Any) -> str | None:
    extras = (meta.extra or {} for meta in _metas(kind))
    return next((str(extra["form"]) for extra in extras if "form" in extra), None)


def _bounds(meta: Mapping[str, Any]) -> str:
    least, most = meta.get("ge"), meta.get("le")
    if least is not None and most is not None:
        return f" from {_number(least)} to {_number(most)}"
    told = " and ".join(
        f"{words} {_number(meta[name])}" for name, words in _BOUNDS.items() if name in meta
    )
    return f", {told}" if told else ""


_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _length(meta: Mapping[str, Any], unit: str) -> str:
    least, most = meta.get("min_length"), meta.get("max_length")
    if least is not None and most is not None:
        return f" of {least} to {most} {unit}"
    if most is not None:
        return f" of at most {most} {unit}"
    if least is not None:
        return f" of at least {least} {unit if least > 1 else unit.removesuffix('s')}"
    if meta.get("pattern") is not None:
        return f" that matches {meta['pattern']}"
    return ""


_NOUNS: dict[Any, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    bool: ("true or false", lambda _: ""),
    int: ("a whole number", _bounds),
    float: ("a number", _bounds),
    str: ("a string", lambda meta: _length(meta, "characters")),
    bytes: ("bytes in base64", lambda meta: _length(meta, "bytes")),
}


def _metas(kind: Any) -> list[Meta]:
    if get_origin(kind) is Annotated:
        return [each for each in kind.__metadata__ if isinstance(each, Meta)]
    if get_origin(kind) in {Union, UnionType}:
        parts = [each for each in get_args(kind) if each is not NoneType]
        return _metas(parts[0]) if len(parts) == 1 else []
    return []


def _without_meta(kind: Any) -> tuple[Any, dict[str, Any]]:
    """Return the type without annotations, and the constraints that they state."""
    constraints: dict[str, Any] = {}
    while get_origin(kind) is Annotated:
        for meta in _metas(kind):
            constraints |= {name: getattr(meta, name) for name in _CONSTRAINTS}
        kind = get_args(kind)[0]
    return kind, {name: value for name, value in constraints.items() if value is not None}


_CONSTRAINTS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")


def _words(kind: Any) -> Iterator[str]:
    """Yield the words that an enumeration or a literal accepts."""
    bare, _ = _without_meta(kind)
    if get_origin(bare) in {Union, UnionType}:
        for each in get_args(bare):
            yield from _words(each)
    elif get_origin(bare) is Literal:
        yield from (str(each) for each in get_args(bare))
    elif isinstance(bare, type) and issubclass(bare, Enum):
        yield from (str(each.value) for each in bare)


def _part(kind: Any, is_meant: Callable[[Any], bool]) -> Any:
    """Return the part of a union that is a list or an object. Raise LookupError if none is."""
    bare, _ = _without_meta(kind)
    parts = get_args(bare) if get_origin(bare) in {Union, UnionType} else (bare,)
    for part in parts:
        if is_meant(each := _without_meta(part)[0]):
            return each
    raise LookupError(kind)


def _is_list(kind: Any) -> bool:
    return (get_origin(kind) or kind) in {list, tuple, set, frozenset}


def _is_object(kind: Any) -> bool:
    bare = get_origin(kind) or kind
    return bare is dict or (isinstance(bare, type) and issubclass(bare, msgspec.Struct))


def _item_kind(kind: Any, index: int) -> Any:
    items = get_args(kind)
    return items[index] if _is_fixed(kind) else items[0]


def _is_fixed(kind: Any) -> bool:
    """Tell whether the type is a tuple with a fixed number of items."""
    return get_origin(kind) is tuple and Ellipsis not in get_args(kind)


def _fields(kind: Any) -> dict[str, Any]:
    """Return the types of a struct's members by their names in a document."""
    if not hasattr(kind, "__struct_fields__"):
        raise LookupError(kind)
    hints = get_type_hints(kind, include_extras=True)
    names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    return {written: hints[name] for written, name in names}


def _first_invalid(kind: Any, value: object) -> tuple[str, object]:
    """Return the name and value of the first member of a dictionary that is not of this type."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            try:
                msgspec.convert(each, kind)
            except msgspec.ValidationError:
                return str(name)[:100], each
    return "...", UNSET
