"""The written forms of setting values: durations, money, sizes, texts."""

import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mock_server.domain.durations import Duration, duration_ms
from mock_server.domain.ledger import MICRO

Dollars = Annotated[float, Meta(ge=0, le=1_000_000_000)]

_PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|\d{1,4})"
_HOST = r"""(\[[0-9A-Fa-f:.]+\]|[^\s"\\<>/?#@:\[\]]+)"""
_USER = r"""([^\s"\\<>/?#@]*@)?"""
_PATH = r"""(/[!-~]*)?"""
_BASE_URL = (
    rf"""^\s*[Hh][Tt][Tt][Pp][Ss]?://(?=[!-~]*\s*$){_USER}{_HOST}(:{_PORT})?(/[^\s"\\<>?#]*)?\s*$"""
)

_ORIGIN = (
    rf"(\*|[Nn][Uu][Ll][Ll]|[A-Za-z][A-Za-z0-9+.\-]*://([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])"
    rf"(:{_PORT})?/?)"
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def _unchanged(value: Any) -> Any:
    return value


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The written form of a value, if it differs from the stored form."""

    suffix: str = ""  # Suffix of the field that the public name does not have.
    unit: str = ""  # Unit of the written value.
    metavar: str = ""
    must_be: str = ""  # Description of valid values; if empty, it is derived from the type.
    kind: Any = None  # Type of the written value; None means the type of the field.
    schema: dict[str, Any] = {}  # JSON Schema of the written value, if its type is not enough.
    shown: Any = None  # Type in responses; None means the type of the field.
    parse: Callable[[Any], Any] = _unchanged  # Raises ValueError.
    show: Callable[[Any], Any] = _unchanged
    symbol: str = ""  # Symbol of the unit, written after a number.
    has_secrets: bool = False  # Part of a value may be secret; `show` removes it.


def _normal_url(url: str) -> str:
    """Return a base URL without spaces and slash at its end. Raises ValueError."""
    if not re.search(_BASE_URL, url):
        raise ValueError("not a base URL")
    return url.strip().rstrip("/")


def _without_header_values(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule without the values of its header conditions, which may be API keys."""
    match = rule.get("match")
    if not isinstance(match, dict) or not isinstance(match.get("header"), dict):
        return rule
    hidden = dict.fromkeys(match["header"], "[redacted]")
    return rule | {"match": match | {"header": hidden}}


DURATION = Form(
    suffix="_ms",
    unit="seconds",
    metavar="DURATION",
    must_be="a duration from 0 to 36500d, such as 30, 2.5, 500ms, 2s, 3m or 15d",
    kind=Duration,
    shown=float,
    parse=duration_ms,
    show=lambda kept_ms: kept_ms / 1000,
    symbol="s",
)
MICRODOLLARS = Form(
    suffix="_microusd",
    unit="US dollars",
    metavar="DOLLARS",
    kind=Dollars,
    shown=float,
    parse=lambda dollars: round(dollars * MICRO),
    show=lambda microusd: microusd / MICRO,
)
DOLLARS = Form(suffix="_usd", unit="US dollars", metavar="DOLLARS")
BYTES = Form(suffix="_bytes", unit="bytes", metavar="BYTES")
BASE_URL = Form(
    metavar="URL",
    must_be="an http or https address without query",
    kind=str,
    schema={"type": "string", "pattern": _BASE_URL},
    parse=_normal_url,
)
TABLES = Form(
    must_be="tables, each under [[rules]]",
    kind=list[dict[str, Any]],
    parse=tuple,
    show=lambda rules: tuple(map(_without_header_values, rules)),
    has_secrets=True,
)


def text(must_be: str, metavar: str) -> Form:
    """Return the form of a text that is not blank."""
    return Form(
        metavar=metavar,
        must_be=must_be,
        kind=Annotated[str, Meta(pattern=r"\S")],
        parse=str.strip,
    )


def texts(must_be: str, metavar: str, *, max_length: int | None = None) -> Form:
    """Return the form of several texts: a list, or one text with commas.

    `max_length` is that of each text, without the spaces around it.
    """
    part, item = r"[^,]*[^\s,][^,]*", r"\S"
    if max_length is not None:
        part = _limited("[^,]", r"[^\s,]", max_length)
        item = "^" + _limited(r"[\s\S]", item, max_length) + "$"
    return Form(
        metavar=metavar,
        must_be=must_be,
        kind=Any,
        schema={
            "anyOf": [
                {"type": "string", "pattern": rf"^{part}(,{part})*$"},
                {"type": "array", "items": {"type": "string", "pattern": item}},
            ]
        },
        parse=lambda value: _split(value, max_length),
    )


def _limited(any_character: str, visible: str, max_length: int) -> str:
    """Return a pattern for a text that is not blank and not too long, with spaces around it."""
    return rf"\s*{visible}({any_character}{{0,{max_length - 2}}}{visible})?\s*"


def _normal_origin(origin: str) -> str:
    """Return an origin as browsers send it. Raises ValueError."""
    if not re.fullmatch(_ORIGIN, origin):
        raise ValueError("not an origin")
    normal = origin.lower().removesuffix("/")
    scheme, _, _ = normal.partition(":")
    return normal.removesuffix(_DEFAULT_PORTS.get(scheme, "/"))


def _split(value: object, max_length: int | None = None) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("neither a text nor a list")  # noqa: TRY004  # one error for any value
    if not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError("a part is no text or is blank")
    texts = tuple(part.strip() for part in parts)
    if max_length is not None and any(len(text) > max_length for text in texts):
        raise ValueError("a part is too long")
    return texts


ORIGINS = Form(
    metavar="ORIGIN",
    must_be="one or more origins, such as http://localhost:5173, or *",
    kind=Any,
    schema={
        "anyOf": [
            {"type": "string", "pattern": rf"^\s*{_ORIGIN}\s*(,\s*{_ORIGIN}\s*)*$"},
            {"type": "array", "items": {"type": "string", "pattern": rf"^\s*{_ORIGIN}\s*$"}},
        ]
    },
    parse=lambda value: tuple(map(_normal_origin, _split(value))),
)
