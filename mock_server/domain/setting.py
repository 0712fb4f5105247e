"""Declarations of settings, and everything that is derived from a declaration.

A setting is one annotated field of a struct. Its type, its default and its `Setting` determine
the public name, the accepted values, the text of errors, the JSON Schema and the response.
"""

from functools import cached_property, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from mock_server.domain.errors import InvalidValue
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.setting_forms import Form
from mock_server.domain.validation import describe, shown

Json = dict[str, Any]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a declaration that neither the type nor the default can express."""

    help: str  # One line.
    form: Form = Form()
    default: str = ""  # Description of the default, if the field has none.
    is_secret: bool = False
    is_file_only: bool = False


class Declaration(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A setting as declared by one field."""

    field: str
    kind: Any  # The type without None.
    default: Any
    setting: Setting

    @property
    def name(self) -> str:
        """Return the public name: the key of the file and the member of answers and PATCH."""
        return self.field.removesuffix(self.setting.form.suffix)

    @property
    def is_flag(self) -> bool:
        return _bare(self._written) is bool

    @property
    def is_repeated(self) -> bool:
        return get_origin(_bare(self.kind)) is tuple

    @property
    def metavar(self) -> str:
        return self.setting.form.metavar or "|".join(self.words) or "N"

    @property
    def about(self) -> str:
        """Return the help with the unit."""
        unit = self.setting.form.unit
        return f"{self.setting.help} In {unit}." if unit else self.setting.help

    @property
    def must_be(self) -> str:
        """Return a description of the accepted values."""
        form = self.setting.form
        return form.must_be or f"{describe(self._written)} {form.unit}".rstrip()

    @property
    def words(self) -> tuple[str, ...]:
        """Return the accepted words in the order of declaration; empty if any value is possible."""
        kind = _bare(self._written)
        return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()

    def shown_type(self, *, is_nullable: bool) -> Any:
        """Return the type of the value in responses."""
        shown = self.setting.form.shown or self.kind
        return shown | None if is_nullable and self.default is None else shown

    def show(self, value: Any) -> Any:
        """Return a stored value as responses show it."""
        return None if value is None else self.setting.form.show(value)

    def text_of(self, value: Any) -> str:
        """Return a stored value in its written form."""
        shown = self.show(value)
        if isinstance(shown, bool):
            return "on" if shown else "off"
        if isinstance(shown, float):
            return f"{shown:g}{self.setting.form.symbol}"
        return str(shown)

    @cached_property
    def schema(self) -> Json:
        """Return the JSON Schema of the written value."""
        form = self.setting.form
        return form.schema or msgspec.json.schema(self._written)

    def parse(self, value: object, source: str, *, is_text: bool = False) -> Any:
        """Return the stored form of a written value.

        `source` names the switch, variable or member in errors. `is_text` is for switches and
        environment variables, where numbers and booleans are text. Raises InvalidValue.
        """
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # In JSON Schema, 5.0 is a whole number.
        try:
            converted = msgspec.convert(value, self._written, strict=not is_text)
            return self.setting.form.parse(converted)
        except (ValueError, OverflowError) as error:
            raise InvalidValue(source, f"must be {self.must_be}{self._got(value)}") from error

    @property
    def _written(self) -> Any:
        return self.kind if self.setting.form.kind is None else self.setting.form.kind

    def _got(self, value: object) -> str:
        if self.setting.is_secret or self.setting.form.has_secrets:
            return ""
        hint = did_you_mean(value, self.words) if self.words and isinstance(value, str) else ""
        return f" (got {shown(value)}){hint if hint.endswith('?') else ''}"


@lru_cache
def declarations(scope: type[msgspec.Struct]) -> tuple[Declaration, ...]:
    """Return the settings that a struct declares, its own before inherited ones."""
    hints = get_type_hints(scope, include_extras=True)
    fields = {field.name: field for field in msgspec.structs.fields(scope)}
    own = [name for name in scope.__annotations__ if name in fields]
    declared = [
        Declaration(
            field=name,
            kind=_without_none(hints[name]),
            default=fields[name].default,
            setting=setting,
        )
        for name in dict.fromkeys([*own, *fields])
        if (setting := _setting(hints[name])) is not None
    ]
    return tuple(declared)


def change_type(name: str, scope: type[msgspec.Struct], about: str) -> type[msgspec.Struct]:
    """Return the type of a request that changes any of these settings; null counts as absent.

    It rejects unknown members. `changed_values` checks the values.
    """
    members = [
        (each.name, Annotated[Any, Meta(extra_json_schema=_or_null(each))], None)
        for each in declarations(scope)
    ]
    return msgspec.defstruct(
        name, members, kw_only=True, forbid_unknown_fields=True, namespace={"__doc__": about}
    )


def changed_values(scope: type[msgspec.Struct], change: msgspec.Struct) -> dict[str, Any]:
    """Return the stored values that a change sets, by field. Raises InvalidValue."""
    return {
        each.field: each.parse(value, each.name)
        for each in declarations(scope)
        if (value := getattr(change, each.name)) is not None
    }


def answer_type(
    name: str, scope: type[msgspec.Struct], about: str, *, is_nullable: bool
) -> type[msgspec.Struct]:
    """Return the type that shows these settings, without the secrets.

    `is_nullable` allows null for the settings whose default is None.
    """
    members = [
        (
            each.name,
            Annotated[each.shown_type(is_nullable=is_nullable), Meta(description=each.about)],
        )
        for each in declarations(scope)
        if not each.setting.is_secret
    ]
    return msgspec.defstruct(name, members, namespace={"__doc__": about})


def shown_values(scope: type[msgspec.Struct], settings: msgspec.Struct) -> Json:
    """Return the values as responses show them, by public name, without the secrets."""
    return {
        each.name: each.show(getattr(settings, each.field))
        for each in declarations(scope)
        if not each.setting.is_secret
    }


def _or_null(declaration: Declaration) -> Json:
    return {"anyOf": [declaration.schema, {"type": "null"}], "description": declaration.about}


def _setting(hint: Any) -> Setting | None:
    return next((each for each in get_args(hint) if isinstance(each, Setting)), None)


def _without_none(hint: Any) -> Any:
    kind, *_ = get_args(hint)
    if get_origin(kind) in {Union, UnionType}:
        kind, *_ = (each for each in get_args(kind) if each is not NoneType)
        return kind
    return hint


def _bare(kind: Any) -> Any:
    """Return a type without its annotations."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
