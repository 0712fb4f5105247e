"""Split a JSON list of objects, so that each object can be decoded when its turn comes.

Decoding the list first would need up to forty times the memory of the JSON text: a list of a
hundred million zeros is a list of as many values, although the first one is invalid.
"""

import re
from collections.abc import Iterator

from mock_server.domain.errors import InvalidValue

_LEVELS = 6  # Objects and lists within an object. Those of a snapshot have fewer.


def _object_pattern() -> bytes:
    text = rb'[^\[\]{}"]++|"(?:[^"\\]++|\\.)*+"'  # Brackets in strings are text.
    inner = rb"(?:%b)*+" % text
    for _ in range(_LEVELS):
        inner = rb"(?:%b|[\[{]%b[\]}])*+" % (text, inner)
    return rb"\s*+(\{%b\})\s*+([\],])" % inner


# A function written in C finds the end of an object, in a time that grows with its length.
_object = re.compile(_object_pattern(), re.DOTALL).match
_empty_list = re.compile(rb"\s*\[\s*\]\s*").fullmatch
_list_start = re.compile(rb"\s*\[").match


def objects_in(raw: bytes, path: str) -> Iterator[bytes]:
    """Yield the objects of a JSON list. Raise InvalidValue if it is no list of objects.

    The objects themselves are not checked. `path` is that of the list, for errors.
    """
    start = _list_start(raw)
    if start is None:
        raise InvalidValue(path, "must be a list")
    if _empty_list(raw):
        return
    number, end, separator = 0, start.end(), b","
    while separator == b",":
        found = _object(raw, end)
        if found is None:
            raise InvalidValue(f"{path}[{number}]", "must be an object")
        yield found[1]
        number, end, separator = number + 1, found.end(), found[2]
