"""Runs a check for many examples: generated ones, or a few fixed ones on a live service."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from contract_tests.contract.errors import ContractTestsError
from contract_tests.contract.verdicts import Finding
from contract_tests.server.probe import Probe
from contract_tests.server.steady_provider import BACKEND

E = TypeVar("E")


SETTINGS: Final = settings(
    backend=BACKEND,
    database=None,
    deadline=None,
    derandomize=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


class Counterexample(ContractTestsError):
    """A clause does not hold for an example. The functions of this module catch it."""


def for_all(
    probe: Probe,
    strategy: SearchStrategy[E],
    judge: Callable[[E], None],
    *,
    fixed: Sequence[E],
    max_examples: int,
) -> None:
    """Judge each example and keep one result: the smallest counterexample, or a success.

    `judge` records findings on the probe.  The fixed examples are judged first.  On a live service
    they are the only ones, because every generated example could cost money.
    """
    if probe.target.is_live:
        for example in fixed:
            judge(example)
        return

    def holds(example: E) -> None:
        before = len(probe.findings)
        judge(example)
        if any(not finding.holds for finding in probe.findings[before:]):
            raise Counterexample

    drawn = seed(probe.seed)(settings(SETTINGS, max_examples=max_examples)(given(strategy)(holds)))

    def run() -> None:
        for example in fixed:
            holds(example)
        drawn()

    noted(probe, run)


def run_machine(
    probe: Probe, machine: type[RuleBasedStateMachine], *, max_examples: int, steps: int
) -> None:
    """Run a state machine whose steps raise Counterexample; it keeps its findings itself.

    Hypothesis does not shrink a counterexample: the machine does, with a bound on its tries.
    """
    of_the_run = settings(
        SETTINGS, max_examples=max_examples, stateful_step_count=steps, phases=(Phase.generate,)
    )
    seeded = seed(probe.seed)(machine)
    noted(probe, lambda: run_state_machine_as_test(seeded, settings=of_the_run))


def noted(probe: Probe, run: Callable[[], None]) -> None:
    """Call `run`, then keep the last failed finding, or one finding per clause if all hold."""
    before = len(probe.findings)
    try:
        with suppress(Counterexample):
            run()
    except Flaky as error:
        # Hypothesis could not repeat an example. The case has no error if the server violated a
        # clause only once, or if no example failed: each one was judged when it was sent.
        is_violation = any(not finding.holds for finding in probe.findings[before:])
        if isinstance(error, FlakyFailure) and not is_violation:
            raise
    finally:  # An interruption of the case leaves the findings that were made before.
        found = probe.findings[before:]
        failed = [finding for finding in found if not finding.holds]
        probe.findings[before:] = failed[-1:] or _last_per_clause(found)


def _last_per_clause(findings: Sequence[Finding]) -> list[Finding]:
    """Return the last finding of each clause."""
    return list({finding.clause: finding for finding in findings}.values())
