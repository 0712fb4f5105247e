"""The private parts of hypothesis that the kit relies on still exist and still have an effect."""

import inspect
import subprocess
import sys

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from contract_tests.server.properties import SETTINGS
from contract_tests.server.steady_provider import BACKEND, SteadyProvider
from tests.contract_tests.commands import ROOT, environment

_PRINT_EXAMPLES = """
import contract_tests.server.cases  # its constants are what hypothesis could mix in
from tests.contract_tests.test_steady_provider import examples
print(examples())
"""


def examples() -> list[tuple[str, int]]:
    """Return what the kit's settings draw from seed 1."""
    drawn: list[tuple[str, int]] = []

    @seed(1)
    @settings(SETTINGS, max_examples=200)
    @given(st.text(), st.integers())
    def draw(text: str, number: int) -> None:
        drawn.append((text, number))

    draw()
    return drawn


def test_hypothesis_still_has_the_private_method_that_the_kit_overrides() -> None:
    overridden = getattr(providers.HypothesisProvider, "_maybe_draw_constant", None)

    assert overridden is not None, (
        "HypothesisProvider._maybe_draw_constant is gone: adapt server/steady_provider.py and the"
        " bound on hypothesis in pyproject.toml"
    )
    assert "return None" in inspect.getsource(overridden), "None no longer means: draw at random"


def test_hypothesis_still_finds_the_backend_by_its_name() -> None:
    assert str(providers.AVAILABLE_PROVIDERS[BACKEND]).endswith(SteadyProvider.__name__)
    assert settings(backend=BACKEND).backend == BACKEND


def test_loaded_modules_do_not_change_what_a_seed_draws() -> None:
    other = subprocess.run(
        [sys.executable, "-c", _PRINT_EXAMPLES],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert other.stdout.strip() == str(examples())
