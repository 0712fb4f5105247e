"""A Hypothesis backend that generates the same examples from the same seed.

Hypothesis adds constants to its examples that it finds in the source of loaded modules.  Therefore
the same seed gives different examples in different processes, and a recording could not be
replayed.  There is no public option for this, so this module uses private parts of Hypothesis.
pyproject.toml limits its version, and `tests/contract_tests/test_steady_provider.py` checks them.
"""

from typing import Any, Final

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

BACKEND: Final = "contract-tests"
"""The name of the backend for `hypothesis.settings`."""


class SteadyProvider(HypothesisProvider):
    """Draws the same examples from the same seed in every process."""

    def _maybe_draw_constant(self, *args: Any, **kwargs: Any) -> None:
        return None


AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{SteadyProvider.__name__}"
