"""`may_match` is False only if no rule can match and none would count anything."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.faults.effect import Effect
from mock_server.domain.operation import Operation
from mock_server.domain.rules import RuleInput
from mock_server.domain.task import TaskState
from tests.mock_server.rules.strategies import rules
from tests.mock_server.rules.test_rule_matching import CLOSE, Json, book_of, counting, inputs

about_tasks = st.builds(
    lambda match: {"match": {"operation": ["status", "result"], **match}, "apply": CLOSE},
    st.fixed_dictionaries(
        {},
        optional={
            "state": st.sampled_from([each.value for each in TaskState]),
            "prompt": st.sampled_from(["cat", "aa", "dog"]),
            "header": st.sampled_from([{"X-Test": "yes"}, {"X-Test": "yes", "X-Other": "no"}]),
        },
    ),
)
about_callbacks = st.builds(
    lambda attempt, fault: {"match": {"attempt": attempt}, "apply": {"callback": fault}},
    st.integers(1, 3),
    st.sampled_from(["drop", "before-answer"]),
)
some_rules = st.lists(rules | counting | about_tasks | about_callbacks, max_size=4)
STATUS_OF_A_CAT = RuleInput(
    operation=Operation.STATUS,
    prompt="a cat",
    state=TaskState.SUCCESS,
    headers=frozenset({(b"x-test", b"yes")}),
)


@given(some_rules, some_rules, st.lists(inputs, max_size=12))
def test_rules_that_may_not_match_do_not_match_and_count_nothing(
    written: list[Json], queued: list[Json], asked: list[RuleInput]
) -> None:
    book = book_of(*written, queued=queued)

    for each in asked:
        may_match, before = book.may_match(each), book.snapshot()
        match = book.match(each)
        assert may_match or (match is None and book.snapshot() == before)


@pytest.mark.parametrize(
    "match",
    [
        {"operation": "submit"},
        {"state": "failed"},
        {"prompt": "dog"},
        {"prompt": "dog", "prompt_regex": "c.t"},
        {"header": {"X-Test": "no"}},
        {"header": {"X-Test": "yes"}, "prompt": "dog"},
    ],
    ids=str,
)
def test_rule_whose_condition_does_not_hold_may_not_match(match: Json) -> None:
    rule: Json = {"match": match, "apply": CLOSE}

    assert not book_of(rule).may_match(STATUS_OF_A_CAT)
    assert not book_of(queued=[rule]).may_match(STATUS_OF_A_CAT)


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"prompt": "cat", "state": "success", "header": {"X-Test": "yes"}},
        {"prompt_regex": "dog"},
        {"times": 1},
        {"probability": 0.5},
        {"nth": 2},
    ],
    ids=str,
)
def test_rule_that_has_to_search_or_count_may_match(match: Json) -> None:
    assert book_of({"match": match, "apply": CLOSE}).may_match(STATUS_OF_A_CAT)


@pytest.mark.parametrize("fitting", [0, 1, 2])
def test_one_rule_of_several_may_match(fitting: int) -> None:
    matches: list[Json] = [{"prompt": each} for each in ("dog", "bird", "fish")]
    matches[fitting] = {"prompt": "cat", "header": {"X-Test": "yes"}}
    with_header = [{"match": match, "apply": CLOSE} for match in matches]
    matches[fitting] = {"prompt": "cat"}
    without = [{"match": match, "apply": CLOSE} for match in matches]

    assert book_of(*with_header).may_match(STATUS_OF_A_CAT)
    assert book_of(*without).may_match(STATUS_OF_A_CAT)


def test_setting_rules_neither_tries_nor_hashes_them() -> None:
    """Other requests wait while a thousand rules are set."""
    with (
        patch.object(Effect, "can_apply", side_effect=AssertionError),
        patch("mock_server.domain.counted_rule.blake2b", side_effect=AssertionError),
    ):
        book_of({"match": {"state": "success"}, "apply": CLOSE}, {"match": {}, "apply": CLOSE})


def test_filter_tries_rules_once_for_each_operation_and_state() -> None:
    book = book_of({"match": {"prompt": "dog"}, "apply": CLOSE})

    with patch.object(Effect, "can_apply", autospec=True, side_effect=Effect.can_apply) as tried:
        for _ in range(3):
            assert not book.may_match(STATUS_OF_A_CAT)

    assert tried.call_count == 1
