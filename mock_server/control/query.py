"""Read query parameters and describe them for OpenAPI; the fields of a struct declare them.

A field is an enumeration, a literal, an `int`, a `str` or a `float`. A `float` is a duration: its
value is in seconds. A parameter that is missing from the URL gets the default of its field.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, inspect

from mock_server.control.errors import ControlError
from mock_server.control.references import PREFIX
from mock_server.domain.durations import Duration, duration_ms
from mock_server.domain.errors import InvalidValue
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.validation import convert

Json = dict[str, Any]
MAX_WHOLE = 10**15 - 1  # The maximum of an `int` without `le`.
LONGEST_WAIT_S = 300.0
Timeout = Annotated[
    float,
    Meta(
        ge=0,
        le=LONGEST_WAIT_S,
        extra={"form": f"a duration from 0 to {LONGEST_WAIT_S:g} s, such as 2, 500ms or 2s"},
    ),
]

Q = TypeVar("Q", bound=msgspec.Struct)


class SandboxOfPage(msgspec.Struct):
    """The query of calls that a browser makes without headers and so without an API key."""

    sandbox: (
        Annotated[str, Meta(description="Id of a sandbox, for a page that has no API key.")] | None
    ) = None


def check_names(given: Mapping[str, str], kind: type[msgspec.Struct] | None) -> None:
    """Raise ControlError (400) for an unknown parameter."""
    known = [] if kind is None else [field.encode_name for field in _fields(kind)]
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) if known else "; this call has no query parameters"
            raise ControlError(400, f"{name[:100]}: is unknown{hint}")


def read_query(given: Mapping[str, str], kind: type[Q]) -> Q:
    """Return the parameters. Raise ControlError (400) for an invalid value."""
    values = {
        field.encode_name: _value(given[field.encode_name], _plain(field.type)[0])
        for field in _fields(kind)
        if field.encode_name in given
    }
    try:
        return convert(values, kind, whole="query")
    except InvalidValue as error:
        raise ControlError(400, str(error)) from error


def parameters(kind: type[msgspec.Struct]) -> list[Json]:
    """Return the OpenAPI parameter objects of a query."""
    return [
        {"name": field.encode_name, "in": "query", "schema": _schema(field)}
        for field in _fields(kind)
    ]


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    struct = inspect.type_info(kind)
    assert isinstance(struct, inspect.StructType)
    return struct.fields


def _plain(kind: inspect.Type) -> tuple[inspect.Type, Json]:
    """Return the type of a parameter without None, and the annotations for its schema."""
    match kind:
        case inspect.UnionType(types=types):
            (only,) = (each for each in types if not isinstance(each, inspect.NoneType))
            return _plain(only)
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return inner, dict(extra or {})
        case _:
            return kind, {}


def _value(written: str, kind: inspect.Type) -> object:
    """Return a number or a duration as a number, and any other text unchanged."""
    if isinstance(kind, inspect.IntType):
        is_number = written.isdecimal() and len(written) <= len(str(MAX_WHOLE))
        return int(written) if is_number else written
    if isinstance(kind, inspect.FloatType):
        with suppress(ValueError):
            return duration_ms(written) / 1000
    return written


def _schema(field: inspect.Field) -> Json:
    kind, extra = _plain(field.type)
    schema: Json
    match kind:
        case inspect.EnumType(cls=words):
            schema = {"$ref": PREFIX + words.__name__}
        case inspect.LiteralType(values=values):
            schema = {"enum": list(values)}
        case inspect.IntType(ge=least, le=most):
            schema = {"type": "integer", "minimum": least or 0, "maximum": most or MAX_WHOLE}
        case inspect.FloatType(le=longest_s):
            about = f"Real time, at most {longest_s:g} s."
            schema = msgspec.json.schema(Duration) | {"description": about}
        case _:
            schema = {"type": "string"}
    if field.default not in {None, msgspec.NODEFAULT}:
        schema["default"] = field.default
    return schema | extra
