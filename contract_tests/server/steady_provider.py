"""The only module that uses private parts of hypothesis: generation that a seed alone decides.

Hypothesis mixes constants into its examples that it finds in the source of the modules that are
loaded, so the same seed gives different examples in different processes.  A recording could then
not be replayed.  There is no public switch for this.  pyproject.toml bounds the version, and
`tests/contract_tests/test_steady_provider.py` fails when the private parts change.
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
