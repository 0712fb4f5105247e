import secrets


def drawn_seed() -> int:
    """Return a seed that nobody chose, short enough to be typed again."""
    return secrets.randbelow(2**32)
