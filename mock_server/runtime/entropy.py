"""Random numbers that no seed decides."""

import secrets


def random_seed() -> int:
    """Return a random seed below 2**32, short enough to type again."""
    return secrets.randbelow(2**32)
