"""A failing scenario is shrunk to the shortest one that still fails."""

from hypothesis import given
from hypothesis import strategies as st

from contract_tests.server.cases.traffic import rows_of
from contract_tests.server.traffic import steps
from contract_tests.server.traffic.bodies import simple_body
from contract_tests.server.traffic.scenarios import Scenario, scenario_of
from contract_tests.server.traffic.setup import Setup
from contract_tests.server.traffic.shrinking import MOST_TRIES, shrink

ROWS = rows_of(2, 1)


@given(st.integers(0, len(ROWS) - 1), st.data())
def test_only_the_steps_that_matter_are_left(number: int, data: st.DataObject) -> None:
    scenario = scenario_of(ROWS[number], number)
    wanted = data.draw(st.sampled_from(scenario.steps))

    def fails(tried: Scenario) -> bool:
        return any(type(step) is type(wanted) for step in tried.steps)

    shrunk = shrink(scenario, fails, tries=1000)

    assert [type(step) for step in shrunk.steps] == [type(wanted)]
    assert shrunk.setup == Setup(has_fixed_times=True)


def test_members_that_do_not_matter_leave_the_body() -> None:
    number, row = next(
        (number, row)
        for number, row in enumerate(ROWS)
        if row["count"] == "4" and row["route"] == "value" and row["request_type"] == "callback"
    )

    def fails(tried: Scenario) -> bool:
        return any(
            isinstance(step, steps.Submit) and step.body["input"].get("num_images") == 4
            for step in tried.steps
        )

    shrunk = shrink(scenario_of(row, number), fails, tries=1000)

    body = {"input": {**simple_body()["input"], "num_images": 4}}
    assert shrunk.steps == (steps.Submit(task="main", body=body),)


@given(st.integers(0, MOST_TRIES))
def test_shrinking_has_a_bound(tries: int) -> None:
    tried: list[Scenario] = []

    def succeeds(scenario: Scenario) -> bool:
        tried.append(scenario)
        return False

    shrink(scenario_of(ROWS[0], 0), succeeds, tries=tries)

    assert len(tried) <= tries
