"""What remains of the findings of many examples."""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import RuleBasedStateMachine, rule

from contract_tests.contract.verdicts import Finding
from contract_tests.server.events import Request, Response
from contract_tests.server.interruptions import TargetFailure
from contract_tests.server.probe import Probe
from contract_tests.server.properties import Counterexample, for_all, noted, run_machine
from tests.contract_tests.fakes import OK, FakeWorld, a_target


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


def lost_once(at: int) -> Callable[[Request], Response]:
    """Answer every request but one, whose connection is lost."""
    left = [at]

    def answer(_: Request) -> Response:
        left[0] -= 1
        return Response(status=0, error="the connection was lost") if left[0] == 0 else OK

    return answer


def examples(probe: Probe) -> None:
    def judge(_: int) -> None:
        probe.check("SUB-1", holds=True, expected="a task", seen=probe.send("GET", "/"))

    for_all(probe, st.integers(), judge, fixed=(), max_examples=20)


def steps(probe: Probe) -> None:
    class Machine(RuleBasedStateMachine):
        @rule()
        def ask(self) -> None:
            probe.check("SUB-1", holds=True, expected="a task", seen=probe.send("GET", "/"))

    run_machine(probe, Machine, max_examples=5, steps=5)


@pytest.mark.parametrize("run", [examples, steps])
def test_a_lost_connection_ends_the_case_with_its_reason(run: Callable[[Probe], None]) -> None:
    world = FakeWorld(lost_once(at=4))
    probe = Probe(world, a_target(), seed=1)

    with pytest.raises(TargetFailure, match="the connection was lost"):
        run(probe)

    assert len(world.asked) == 4, "the example is not repeated"
    assert found(probe) == [("SUB-1", "HTTP 200 " + OK.body.decode())]


def test_an_error_of_the_case_that_cannot_be_repeated_is_not_hidden() -> None:
    left = [3]

    def judge(_: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyError("only once")

    with pytest.raises(FlakyFailure):
        for_all(a_probe(), st.integers(), judge, fixed=(), max_examples=20)
