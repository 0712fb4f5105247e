"""Reproducible random draws: each draw is a hash of seed, sandbox, ordinal and purpose.

The same seed gives the same run. Other sandboxes do not influence it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from hashlib import blake2b
from struct import Struct

_TWO_NUMBERS = Struct(">II").unpack_from
_STEP = 2.0**-32


def draw(seed: int, sandbox_id: str, ordinal: int, purpose: str) -> bytes:
    """Return 16 random-looking bytes; equal arguments always give equal bytes."""
    drawn = _hash_of(seed, sandbox_id).copy()
    drawn.update(f"{ordinal}:{purpose}".encode())
    return drawn.digest()


def draws(seed: int, sandbox_id: str, ordinals: Iterable[int], purpose: str) -> Iterator[bytes]:
    """Yield the draw for each ordinal; for many of them this is faster than `draw`."""
    copy_hash = _hash_of(seed, sandbox_id).copy
    for ordinal in ordinals:
        drawn = copy_hash()
        drawn.update(f"{ordinal}:{purpose}".encode())
        yield drawn.digest()


@cache
def normal_quantile() -> Callable[[float], float]:
    """Return the quantile function of the standard normal distribution."""
    from statistics import NormalDist  # noqa: PLC0415  # It is slow to import.

    return NormalDist().inv_cdf


def two_uniforms(drawn: bytes, offset: int = 0) -> tuple[float, float]:
    """Return two numbers between 0 and 1, both excluded, from 8 bytes of a draw."""
    first, second = _TWO_NUMBERS(drawn, offset)
    return (first + 0.5) * _STEP, (second + 0.5) * _STEP


@lru_cache(maxsize=1000)
def _hash_of(seed: int, sandbox_id: str) -> blake2b:
    """Return the hash of the part that all draws of a sandbox begin with; copy it to continue."""
    return blake2b(f"{seed}:{sandbox_id}:".encode(), digest_size=16)
