"""Random numbers that do not depend on a seed."""

import secrets


def random_seed() -> int:
    """Return a random seed below 2**32, short enough to retype."""
    return secrets.randbelow(2**32)
