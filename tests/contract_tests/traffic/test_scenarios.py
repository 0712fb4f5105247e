"""Scenarios combine everything with everything that their rows have."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.server.cases.traffic import rows_of
from contract_tests.server.model.submissions import problems_of
from contract_tests.server.traffic import steps
from contract_tests.server.traffic.array import Row, Space
from contract_tests.server.traffic.bodies import DEFECTS, Defect, body_of
from contract_tests.server.traffic.factors import REAL_TIME_SPACE, STRICT_SPACE
from contract_tests.server.traffic.scenarios import Scenario, scenario_of, submit_of
from contract_tests.server.traffic.together import rows_together, scenario_together, values_of

ROWS = rows_of(2, 1)
TOGETHER = rows_together(seed=1)
URL = {"callback_url": "http://127.0.0.1:1/callback"}
numbers = st.integers(0, len(ROWS) - 1)


def scenario(number: int) -> Scenario:
    return scenario_of(ROWS[number], number)


def with_url(submit: steps.Submit) -> dict[str, object]:
    """Return the body as the player completes it."""
    return {**submit.body, **URL} if submit.receiver else dict(submit.body)


@given(numbers, st.sampled_from(DEFECTS))
def test_a_defect_is_the_only_problem_of_the_submit_of_any_row(number: int, defect: Defect) -> None:
    row = ROWS[number]
    valid = submit_of(row, number, task="valid")
    invalid = submit_of(row, number, task="invalid", defect=defect)

    assert problems_of(with_url(valid), is_strict=False) == ()
    assert len(problems_of(with_url(invalid), is_strict=False)) == 1


@given(numbers)
def test_a_submit_that_is_repeated_near_a_limit_has_the_body_of_its_row(number: int) -> None:
    row = ROWS[number]
    repeated = [
        step.body
        for step in scenario(number).steps
        if isinstance(step, steps.Submit) and step.task in {"again", "afterwards"}
    ]

    is_near, is_large = row["limit"] != "far", row["references"] == "too-large"
    assert len(repeated) == (2 if is_near else 0)
    assert is_large or all(body == body_of(row, number)[0] for body in repeated)


@pytest.mark.parametrize("then", ["retries", "expiry"])
def test_whatever_was_asked_early_is_asked_again_much_later(then: str) -> None:
    for number, row in enumerate(ROWS):
        if row["then"] == then:
            played = scenario(number).steps
            ends = [place for place, step in enumerate(played) if is_long(step)]
            assert asked(played[: ends[0]]) <= asked(played[ends[0] :])


def is_long(step: steps.Step) -> bool:
    """Tell whether a step is more than the day after which some scenarios look first."""
    if isinstance(step, steps.PassToEnd):
        return step.offset_s > 86_400
    return isinstance(step, steps.PassTime) and step.seconds > 600


def asked(played: Sequence[steps.Step]) -> set[tuple[str, str | None, int]]:
    """Return what was asked about the main task: by whom, and for which picture."""
    own = [step for step in played if getattr(step, "task", "") == "main"]
    polls = {("status", step.key, 0) for step in own if isinstance(step, steps.Poll)}
    pictures = {("picture", None, step.index) for step in own if isinstance(step, steps.Download)}
    return (polls - {("status", "none", 0)}) | pictures


@pytest.mark.parametrize("space", [REAL_TIME_SPACE, STRICT_SPACE], ids=["all", "strict"])
def test_tasks_together_cover_all_pairs_also_without_optional_modes(space: Space) -> None:
    rows = [row for row in TOGETHER if is_in(space, row)]
    covered = {pair for row in rows for pair in combinations(sorted(space.items_of(row)), 2)}

    assert {tuple(sorted(pair)) for pair in space.combinations(2)} <= covered


def is_in(space: Space, row: Row) -> bool:
    return all(item in space.items for item in row.items())


def test_tasks_together_combine_each_defect_with_each_value_of_a_submit() -> None:
    played = scenario_together(TOGETHER, has_other_key=True).steps
    sent = [step.body for step in played if isinstance(step, steps.Submit)]

    for factor in ("request_type", "route", "mode", "count", "ratio", "references", "prompt"):
        for value in {row[factor] for row in TOGETHER}:
            fitting = [
                (number, row)
                for number, row in enumerate(TOGETHER)
                if row[factor] == value and row["actor"] == "rejected-submit"
            ]
            assert fitting
            for number, row in fitting:
                body = body_of(row, number)[0]
                assert all(defect.applied_to(body) in sent for defect in DEFECTS)


def test_rows_of_tasks_together_are_reported_with_the_values_of_all_scenarios() -> None:
    receivers = {values_of(row)["receiver"] for row in TOGETHER}

    assert receivers == {"none", "unused", "accepts", "rejects"}
