"""The packages that the kit needs and the plain installation does not have."""

from importlib.util import find_spec
from typing import Final

_NEEDED: Final = "hypothesis"


def missing_extra() -> str | None:
    """Return how to install what the kit needs, or None if it is installed."""
    if find_spec(_NEEDED) is not None:
        return None
    return f"{_NEEDED} is not installed; run: python -m pip install 'apixo-testkit[contract]'"
