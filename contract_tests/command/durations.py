"""Durations on the command line, such as `90s` and `10m`."""

import re
from typing import Any, Final

import click

_UNITS_S: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")


class Duration(click.ParamType[float]):
    """A duration in seconds; the unit can be s, m or h, and is s by default."""

    name = "DURATION"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found = _DURATION.fullmatch(str(value).strip().lower())
        seconds = float(found[1]) * _UNITS_S[found[2] or "s"] if found else 0.0
        if seconds <= 0:
            self.fail(f'must be a duration such as 90s, 10m or 1h (got "{value}")', param, ctx)
        return seconds
