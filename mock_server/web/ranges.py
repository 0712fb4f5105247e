"""The `Range` header of a download (RFC 9110 §14)."""

import re

_SINGLE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(Exception):
    """The range begins behind the end."""


def byte_range(value: bytes | None, size: int) -> tuple[int, int] | None:
    """Return first and last position of a single range; None to send the whole.

    Several ranges, other units and malformed values are ignored, as the RFC allows.
    """
    found = _SINGLE.fullmatch(value.replace(b" ", b"")) if value else None
    if found is None or found[0] == b"bytes=-":
        return None
    if not found[1]:
        length = int(found[2])
        if length == 0:
            raise Unsatisfiable
        return max(0, size - length), size - 1
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if last < first and found[2]:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1)
