"""Chance is a function: each draw is a hash of seed, sandbox, ordinal and purpose.

The same seed gives the same run, whatever other sandboxes do beside it.
"""

from hashlib import blake2b
from statistics import NormalDist

_STANDARD = NormalDist()
_STEPS = 2**48


def draw(seed: int, sandbox_id: str, ordinal: int, purpose: str) -> bytes:
    """Return 16 bytes that look random and are always the same for the same four."""
    return blake2b(f"{seed}:{sandbox_id}:{ordinal}:{purpose}".encode(), digest_size=16).digest()


def uniform(drawn: bytes) -> float:
    """Turn a draw into a number between 0 and 1, both excluded."""
    return (int.from_bytes(drawn[:6], "big") + 0.5) / _STEPS


def normal(drawn: bytes) -> float:
    """Turn a draw into a standard normal number."""
    return _STANDARD.inv_cdf(uniform(drawn))
