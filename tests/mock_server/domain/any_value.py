"""Any value of a type that msgspec can decode, also of types that are added later."""

from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

_SIZE = 3  # The largest number of items: longer lists find no more errors.
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=_SIZE)
        | st.dictionaries(st.text(max_size=5), inner, max_size=_SIZE)
    ),
    max_leaves=3,
)


@cache
def any_value(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a type, within its limits."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911, PLR0912  # A table.
    match info:
        case inspect.Metadata(type=inner):
            return _of(inner)
        case inspect.AnyType():
            return _json
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=ge, le=le, gt=None, lt=None):
            return st.integers(-(2**63) if ge is None else ge, 2**63 - 1 if le is None else le)
        case inspect.FloatType(ge=ge, le=le, gt=gt):
            return st.floats(
                gt if ge is None else ge, le, exclude_min=gt is not None, allow_nan=False
            )
        case inspect.StrType(pattern=None):
            return st.text(max_size=5)
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern, fullmatch=True)
        case inspect.BytesType():
            return st.binary(max_size=5)
        case inspect.EnumType(cls=enum):
            return st.sampled_from(enum)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([_of(each) for each in types])
        case inspect.VarTupleType(item_type=item):
            return st.lists(_of(item), max_size=_SIZE).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(_of, items))
        case inspect.FrozenSetType(item_type=item) | inspect.SetType(item_type=item):
            return st.frozensets(_of(item), max_size=_SIZE)
        case inspect.ListType(item_type=item) | inspect.CollectionType(item_type=item):
            return st.lists(_of(item), max_size=_SIZE)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_of(key), _of(value), max_size=_SIZE)
        case inspect.StructType(cls=struct, fields=fields):
            members = {each.name: _of(each.type) for each in fields}
            return st.fixed_dictionaries(members).map(lambda given: struct(**given))
        case _:
            raise AssertionError(f"no values of {info}")
