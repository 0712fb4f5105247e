"""Added latency: fixed, uniform or lognormal with a cap, in real time."""

import math
from collections.abc import Mapping
from typing import cast

import msgspec

from mock_server.domain.chance import normal_quantile, two_uniforms
from mock_server.domain.durations import duration_ms
from mock_server.domain.errors import RuleError
from mock_server.domain.wording import known_members, number

LONGEST_MS = 3_600_000
SIGMAS = (0.001, 10)  # from, to
_FORM = (
    'must be a duration, {"uniform": [from, to]} or'
    ' {"lognormal": {"median": …, "sigma": …, "max": …}}'
)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From `low_ms` to `high_ms`; lognormal around `low_ms` when `sigma` is not 0."""

    low_ms: int
    high_ms: int
    sigma: float = 0.0

    def drawn_ms(self, drawn: bytes) -> int:
        """Return how long it takes this time; `drawn` is 8 bytes of chance or more."""
        uniform, _ = two_uniforms(drawn)
        if self.sigma:
            exponent = min(self.sigma * normal_quantile(uniform), 50.0)
            return min(round(self.low_ms * math.exp(exponent)), self.high_ms)
        return self.low_ms + round((self.high_ms - self.low_ms) * uniform)


def parse_latency(value: object, path: str) -> Latency:
    """Raise RuleError naming the path of what is wrong."""
    if not isinstance(value, Mapping):
        fixed_ms = _duration_ms(value, path, _FORM)
        return Latency(low_ms=fixed_ms, high_ms=fixed_ms)
    members = known_members(value, path, ("uniform", "lognormal"))
    if len(members) != 1:
        raise RuleError(path, _FORM)
    if "uniform" in members:
        return _uniform(members["uniform"], f"{path}.uniform")
    return _lognormal(members["lognormal"], f"{path}.lognormal")


def _uniform(value: object, path: str) -> Latency:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise RuleError(path, "must be a list of two durations, from and to")
    low_ms, high_ms = (_duration_ms(each, f"{path}[{at}]") for at, each in enumerate(value))
    if low_ms > high_ms:
        raise RuleError(path, "must go from a shorter to a longer duration")
    return Latency(low_ms=low_ms, high_ms=high_ms)


def _lognormal(value: object, path: str) -> Latency:
    if not isinstance(value, Mapping):
        raise RuleError(path, "must be an object with median, sigma and max")
    members = known_members(value, path, ("median", "sigma", "max"))
    for name in ("median", "sigma", "max"):
        if name not in members:
            raise RuleError(f"{path}.{name}", "is required")
    return Latency(
        low_ms=_duration_ms(members["median"], f"{path}.median"),
        high_ms=_duration_ms(members["max"], f"{path}.max"),
        sigma=number(members["sigma"], f"{path}.sigma", *SIGMAS),
    )


def _duration_ms(value: object, path: str, form: str | None = None) -> int:
    try:
        length_ms = duration_ms(cast("str", value))
    except ValueError as error:
        raise RuleError(path, form or str(error)) from error
    if length_ms > LONGEST_MS:
        raise RuleError(path, "must be at most 1h, for it is real time")
    return length_ms
