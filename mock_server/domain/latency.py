"""Added latency: fixed, uniform or lognormal with a maximum, in real time."""

import math
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from mock_server.domain.chance import normal_quantile, two_uniforms
from mock_server.domain.durations import Duration, checked_duration_ms
from mock_server.domain.errors import InvalidValue
from mock_server.domain.validation import joined

LONGEST_MS = 3_600_000

Sigma = Annotated[float, Meta(ge=0.001, le=10)]


class Lognormal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    median: Duration
    sigma: Sigma
    max: Duration


class DrawnLatency(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A random latency, drawn for each request: either `uniform` or `lognormal`."""

    uniform: tuple[Duration, Duration] | None = None
    lognormal: Lognormal | None = None

    json_schema: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
            for name in ("uniform", "lognormal")
        ]
    }


WrittenLatency = Duration | DrawnLatency


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """A latency from `low_ms` to `high_ms`: uniform, or lognormal if `sigma` is not 0.

    `low_ms` is then the median and `high_ms` the maximum.
    """

    low_ms: int
    high_ms: int
    sigma: float = 0.0

    def drawn_ms(self, drawn: bytes) -> int:
        """Return one latency in milliseconds; `drawn` are at least 8 random bytes."""
        uniform, _ = two_uniforms(drawn)
        if self.sigma:
            exponent = min(self.sigma * normal_quantile()(uniform), 50.0)
            return min(round(self.low_ms * math.exp(exponent)), self.high_ms)
        return self.low_ms + round((self.high_ms - self.low_ms) * uniform)


def latency_of(written: float | str | DrawnLatency, path: str) -> Latency:
    """Return the latency that a decoded value describes. Raise InvalidValue."""
    if not isinstance(written, DrawnLatency):
        fixed_ms = _duration_ms(written, path)
        return Latency(low_ms=fixed_ms, high_ms=fixed_ms)
    if written.uniform is not None and written.lognormal is None:
        return _uniform(written.uniform, joined(path, "uniform"))
    if written.lognormal is not None and written.uniform is None:
        return _lognormal(written.lognormal, joined(path, "lognormal"))
    raise InvalidValue(path, "must have either uniform or lognormal")


def _uniform(written: tuple[float | str, float | str], path: str) -> Latency:
    low_ms, high_ms = (_duration_ms(each, f"{path}[{at}]") for at, each in enumerate(written))
    if low_ms > high_ms:
        raise InvalidValue(path, "must have the shorter duration first")
    return Latency(low_ms=low_ms, high_ms=high_ms)


def _lognormal(written: Lognormal, path: str) -> Latency:
    return Latency(
        low_ms=_duration_ms(written.median, joined(path, "median")),
        high_ms=_duration_ms(written.max, joined(path, "max")),
        sigma=written.sigma,
    )


def _duration_ms(written: float | str, path: str) -> int:
    length_ms = checked_duration_ms(written, path)
    if length_ms > LONGEST_MS:
        raise InvalidValue(path, "must be at most 1h, because it is real time")
    return length_ms
