"""Threads that parse at the same time do not disturb one another."""

import ast
import gc
import sys
from collections.abc import Iterator

import pytest

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.probe import Probe
from tests.contract_tests.fakes import a_case, find, runner

SOURCE = f"x = [{', '.join(['(a, (b, [c, {d: e}]))'] * 60)}]"
THREADS = 4


@pytest.fixture(autouse=True)
def _threads_change_while_a_tree_is_built() -> Iterator[None]:
    """Collect garbage often, with a callback in Python, as Hypothesis has one."""
    interval_s, thresholds = sys.getswitchinterval(), gc.get_threshold()

    def callback(phase: str, info: dict[str, int]) -> None:
        for _ in range(20):
            pass

    gc.callbacks.append(callback)
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval_s)
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(callback)


def test_cases_that_parse_at_the_same_time_end_without_an_error() -> None:
    def parse(probe: Probe) -> None:
        for _ in range(40):
            ast.parse(SOURCE)
        find(holds=True)(probe)

    cases = [a_case(parse, case_id=f"S-SUB-90{number}") for number in range(THREADS)]
    before = ast.parse

    results = [ran.result for ran in runner().run(cases, THREADS)]

    assert [each.reason for each in results if each.verdict is not Verdict.PASS] == []
    assert ast.parse is before
