"""Without a control plane, the purchases of one key tell the price for all keys."""

import msgspec
import pytest

from contract_tests.contract.provider import BALANCE
from contract_tests.server.options import Options
from contract_tests.server.probe import Probe
from contract_tests.server.session import open_session
from contract_tests.server.target import Target
from tests.contract_tests.checkers.stories import (
    Events,
    answers,
    clauses_found,
    is_balance,
    plus,
)
from tests.contract_tests.fakes import a_case
from tests.contract_tests.mutants.harness import Mutant, serving


def purchases(probe: Probe) -> None:
    """Buy with two keys; only the tasks of the other one all succeed."""
    for key in ("own", "other"):
        probe.send("GET", BALANCE, key=key)
    tasks = [
        (probe.submit_task(num_images=4), "own"),
        (probe.submit_task(prompt="a scene of gore"), "own"),
        (probe.submit_task({"input": {"mode": "gpt-image-1", "prompt": "a hare"}}, key="other"),
         "other"),
    ]  # fmt: skip
    for key in ("own", "other"):
        probe.control("POST", "clock/advance", {"seconds": 300}, key=key)
    for task_id, key in tasks:
        probe.read_status(task_id, key=key)
    for key in ("own", "other"):
        probe.send("GET", BALANCE, key=key)


@pytest.fixture(scope="module")
def bought() -> tuple[Events, Target]:
    """Return the events, and the target as if it had no control plane."""
    whole = a_case(purchases, clauses=(), case_id="S-STA-999")
    unchanged = Mutant(name="the mock", clause="")
    with serving(unchanged) as url, open_session(Options(base_url=url, seed=3)) as ready:
        ran = ready.runner.run_case(whole)
    assert ran.result.reason == ""
    return ran.events, msgspec.structs.replace(ready.target, settings=None, info=None)


def test_a_charge_of_a_key_is_compared_with_the_price_of_another(
    bought: tuple[Events, Target],
) -> None:
    events, target = bought
    overcharged = answers(is_balance, plus(-0.105), 2)(events)

    assert "BIL-1" not in clauses_found(events, target)
    assert "BIL-1" in clauses_found(overcharged, target)


def test_a_charge_that_is_the_price_of_the_failed_tasks_blames_only_their_bill(
    bought: tuple[Events, Target],
) -> None:
    events, target = bought
    billed = answers(is_balance, plus(-0.035), 2)(events)

    assert {"BIL-1", "BIL-3", "FAIL-5"} & clauses_found(billed, target) == {"FAIL-5"}
