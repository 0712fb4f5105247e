"""What remains of the findings of many examples."""

import pytest
from hypothesis.errors import Flaky

from contract_tests.contract.verdicts import Finding
from contract_tests.server.probe import Probe
from contract_tests.server.properties import Counterexample, noted
from tests.contract_tests.fakes import FakeWorld, a_target


def a_probe() -> Probe:
    return Probe(FakeWorld(), a_target(), seed=1)


def found(probe: Probe) -> list[tuple[str, str]]:
    return [(finding.clause, finding.seen) for finding in probe.findings]


def test_examples_that_hold_count_when_hypothesis_cannot_repeat_one() -> None:
    probe = a_probe()

    def run() -> None:
        probe.check("SUB-1", holds=True, expected="a task", seen="first")
        probe.check("SUB-1", holds=True, expected="a task", seen="second")
        raise Flaky("inconsistent data generation")

    noted(probe, run)

    assert found(probe) == [("SUB-1", "second")]


@pytest.mark.parametrize("ending", [Counterexample(), Flaky("only once")])
def test_only_the_last_failed_example_is_kept(ending: Exception) -> None:
    probe = a_probe()
    before = Finding(clause="ENV-1", holds=True, expected="", seen="before")
    probe.findings.append(before)

    def run() -> None:
        probe.check("SUB-1", holds=True, expected="a task", seen="good")
        probe.check("SUB-1", holds=False, expected="a task", seen="long")
        probe.check("SUB-1", holds=False, expected="a task", seen="short")
        raise ending

    noted(probe, run)

    assert found(probe) == [("ENV-1", "before"), ("SUB-1", "short")]
