"""Make inputs of any size that are hard for a parser."""

import json
from collections.abc import Callable

Make = Callable[[int], bytes]


def filled(before: bytes, unit: bytes, after: bytes = b"", *, most: int | None = None) -> Make:
    """Return a generator that repeats `unit` up to a size, at most so many times."""

    def make(size: int) -> bytes:
        times = max(1, (size - len(before) - len(after)) // len(unit))
        return before + unit * (times if most is None else min(times, most)) + after

    return make


def numbered(before: bytes, unit: bytes, after: bytes) -> Make:
    """Return a generator that repeats `unit` with a number instead of each `%d`, up to a size."""

    def make(size: int) -> bytes:
        times = max(1, (size - len(before) - len(after)) // (len(unit) + 5))
        numbers = unit.count(b"%d")
        return before + b"".join(unit % ((each,) * numbers) for each in range(times)) + after

    return make


def after(before: bytes, make: Make) -> Make:
    """Return a generator whose inputs have something before those of another one."""
    return lambda size: before + make(size)


def json_text(before: bytes, text: str, after: bytes, *, most: int | None = None) -> Make:
    """Return a generator that repeats a text within a JSON string."""
    return filled(before, json.dumps(text, ensure_ascii=False)[1:-1].encode(), after, most=most)


# Whole documents that a reader of JSON may not find hard.
HARD_JSON: dict[str, Make] = {
    "nested lists": filled(b"", b"["),
    "nested objects": filled(b"", b'{"a":'),
    "unknown members": numbered(b"{", b'"m%d":%d,', b'"z":0}'),
    "one member again and again": filled(b"{", b'"a":0,', b'"a":0}'),
    "a long integer": filled(b"", b"9"),
    "a long fraction": filled(b"0.", b"1"),
    "a long exponent": filled(b"1e", b"9"),
    "a long string": filled(b'"', b"a", b'"'),
    "escapes": filled(b'"', b"\\u0301", b'"'),
    "half surrogate pairs": filled(b'"', b"\\ud800", b'"'),
    "white space": filled(b"", b" "),
    "a list of numbers": filled(b"[", b"1,", b"1]"),
    "no UTF-8": filled(b'{"a":"', b"\xc3", b'"}'),
}
