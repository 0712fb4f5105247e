"""Parse the `Range` header of a download (RFC 9110 §14)."""

import re

_SINGLE = rb"bytes=(\d{0,18})-(\d{0,18})"


class RangeNotSatisfiable(Exception):
    """The range starts after the last byte."""


def parse_range(value: bytes | None, size: int) -> tuple[int, int] | None:
    """Return the first and last position of a single byte range, or None for the whole content.

    `size` is the length of the content in bytes. As the RFC allows, several ranges, other units
    and malformed values are ignored. Raise RangeNotSatisfiable if the range has no byte.
    """
    found = re.fullmatch(_SINGLE, value.replace(b" ", b"")) if value else None
    if found is None or found[0] == b"bytes=-":
        return None
    if not found[1]:
        length = int(found[2])
        if length == 0:
            raise RangeNotSatisfiable
        return max(0, size - length), size - 1
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if last < first and found[2]:
        return None
    if first >= size:
        raise RangeNotSatisfiable
    return first, min(last, size - 1)
