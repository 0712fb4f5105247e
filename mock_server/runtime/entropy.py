"""Random numbers that do not depend on a seed."""

import os


def random_seed() -> int:
    """Return a random seed below 2**32, short enough to retype."""
    return int.from_bytes(os.urandom(4))
