"""Asks a question for many examples: generated ones, or on a live service few fixed ones."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from contract_tests.contract.verdicts import Finding
from contract_tests.server.probe import Probe

E = TypeVar("E")


class Steady(HypothesisProvider):
    """Draws the same from the same seed in every process, so that a recording can be replayed.

    Hypothesis mixes in constants that it finds in the source of whatever modules are loaded.
    """

    def _maybe_draw_constant(self, *args: Any, **kwargs: Any) -> None:
        return None


_STEADY: Final = "contract-tests"
AVAILABLE_PROVIDERS[_STEADY] = f"{__name__}.{Steady.__name__}"

SETTINGS: Final = settings(
    backend=_STEADY,
    database=None,
    deadline=None,
    derandomize=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


class Falsified(Exception):
    """An example for which a clause does not hold."""


def for_all(
    probe: Probe,
    strategy: SearchStrategy[E],
    judge: Callable[[E], None],
    *,
    fixed: Sequence[E],
    max_examples: int,
) -> None:
    """Judge each example, and note what was found: the smallest counterexample, or that it holds.

    `judge` notes findings on the probe as ever.  The fixed examples come first.  A live service is
    sent these only: nothing that costs money is fuzzed or shrunk.
    """
    if probe.target.is_live:
        for example in fixed:
            judge(example)
        return

    def holds(example: E) -> None:
        before = len(probe.findings)
        judge(example)
        if any(not finding.holds for finding in probe.findings[before:]):
            raise Falsified

    drawn = seed(probe.seed)(settings(SETTINGS, max_examples=max_examples)(given(strategy)(holds)))

    def run() -> None:
        for example in fixed:
            holds(example)
        drawn()

    noted(probe, run)


def run_machine(
    probe: Probe, machine: type[RuleBasedStateMachine], *, max_examples: int, steps: int
) -> None:
    """Run a state machine whose steps note findings on the probe and raise Falsified.

    What is found is not shrunk: a step may wait for a callback, and a walk has few steps.
    """
    of_the_run = settings(
        SETTINGS, max_examples=max_examples, stateful_step_count=steps, phases=(Phase.generate,)
    )
    seeded = seed(probe.seed)(machine)
    noted(probe, lambda: run_state_machine_as_test(seeded, settings=of_the_run))


def noted(probe: Probe, run: Callable[[], None]) -> None:
    """Run, and keep of the findings the last that fails, or one a clause when all hold."""
    before = len(probe.findings)
    try:
        run()
    except Falsified:
        found = [finding for finding in probe.findings[before:] if not finding.holds]
        probe.findings[before:] = found[-1:]
    else:
        probe.findings[before:] = _one_a_clause(probe.findings[before:])


def _one_a_clause(findings: Sequence[Finding]) -> list[Finding]:
    """Keep the last finding of each clause: they all hold."""
    return list({finding.clause: finding for finding in findings}.values())
