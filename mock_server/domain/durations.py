"""Durations as people write them: `2`, `2.5` (seconds), `"500ms"`, `"2s"`, `"3m"`, `"15d"`."""

import math
import re
from typing import Annotated

from msgspec import Meta

from mock_server.domain.errors import InvalidValue

MAX_MS = 100 * 365 * 86_400_000  # A century, so that sums of instants stay before the year 9999.

_UNITS_MS = {"": 1000, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_WRITTEN = r"(\d{1,15}(?:\.\d{1,9})?)\s*(ms|s|m|h|d|)"

FORM = "must be a duration such as 2, 2.5, 500ms, 2s, 3m or 15d"

Duration = Annotated[
    Annotated[float, Meta(ge=0, le=MAX_MS / 1000)]
    | Annotated[str, Meta(pattern=rf"^\s*{_WRITTEN}\s*$")],
    Meta(
        description="Seconds, or a number with a unit: 2.5, 500ms, 2s, 3m, 1h, 15d",
        extra={"form": FORM.removeprefix("must be ")},
    ),
]


def duration_ms(value: object) -> int:
    """Return a written duration in whole milliseconds.

    Raise ValueError for anything else, such as a negative or infinite number, more than a century
    or a boolean. The error describes the valid forms.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(FORM)  # noqa: TRY004  # Every invalid duration raises ValueError.
    if isinstance(value, str):
        found = re.fullmatch(_WRITTEN, value.strip())
        if found is None:
            raise ValueError(FORM)
        milliseconds = float(found[1]) * _UNITS_MS[found[2]]
    else:
        milliseconds = float(value) * 1000 if abs(value) < MAX_MS else math.inf
    if not 0 <= milliseconds <= MAX_MS:
        raise ValueError(f"{FORM}, from 0 up to 36500d")
    return round(milliseconds)


def checked_duration_ms(written: float | str, path: str) -> int:
    """Return a written duration in whole milliseconds. Raise InvalidValue with this path."""
    try:
        return duration_ms(written)
    except ValueError as error:
        raise InvalidValue(path, str(error)) from error
