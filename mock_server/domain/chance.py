"""Reproducible random draws: each draw is a hash of seed, sandbox, ordinal and purpose.

The same seed gives the same run. Other sandboxes do not influence it.
"""

from hashlib import blake2b
from statistics import NormalDist
from struct import Struct

normal_quantile = NormalDist().inv_cdf

_TWO_NUMBERS = Struct(">II").unpack_from
_STEP = 2.0**-32


def draw(seed: int, sandbox_id: str, ordinal: int, purpose: str) -> bytes:
    """Return 16 random-looking bytes; equal arguments always give equal bytes."""
    return blake2b(f"{seed}:{sandbox_id}:{ordinal}:{purpose}".encode(), digest_size=16).digest()


def two_uniforms(drawn: bytes) -> tuple[float, float]:
    """Return two numbers between 0 and 1, both excluded, from the first 8 bytes of a draw."""
    first, second = _TWO_NUMBERS(drawn)
    return (first + 0.5) * _STEP, (second + 0.5) * _STEP
