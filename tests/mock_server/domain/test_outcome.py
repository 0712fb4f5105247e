"""The members of an outcome, as control and rules give them in JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.errors import InvalidValue
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.outcome import MEMBERS, Outcome, parse_outcome
from tests.mock_server.domain.bodies import anything
from tests.mock_server.domain.strategies import FAIL_MESSAGES, outcomes


@given(outcomes())
def test_the_members_of_an_outcome_come_back(outcome: Outcome) -> None:
    members: dict[str, object] = {
        "fail": outcome.fail,
        "message": outcome.message,
        "pending": None if outcome.pending_ms is None else f"{outcome.pending_ms}ms",
        "processing": None if outcome.processing_ms is None else outcome.processing_ms / 1000,
        "polls": outcome.polls,
        "hold": outcome.hold,
    }

    assert parse_outcome(members, FAIL_MESSAGES) == outcome


@given(outcomes(), st.sets(st.sampled_from(MEMBERS)))
def test_null_counts_as_absent(outcome: Outcome, names: set[str]) -> None:
    members = {"polls": outcome.polls or 1, "hold": outcome.hold}
    nulls = dict.fromkeys(names - members.keys())

    assert parse_outcome(members | nulls, FAIL_MESSAGES) == parse_outcome(members, FAIL_MESSAGES)


@given(st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=8), anything, max_size=4))
def test_any_members_give_an_outcome_or_a_refusal_that_names_one(members: dict[str, Any]) -> None:
    named = tuple(f"{name}: " for name in {"message", *members})

    try:
        told = ""
        parse_outcome(members, FAIL_MESSAGES)
    except InvalidValue as error:
        told = str(error)

    assert told == "" or told.startswith(named)


@pytest.mark.parametrize(
    "members",
    [
        {"polls": True},
        {"polls": 1.0},
        {"polls": "1.0"},
        {"polls": "²"},
        {"polls": 0},
        {"polls": 1_000_001},
        {"hold": "true"},
        {"hold": 1},
        {"fail": ["NSFW"]},
        {"fail": ""},
        {"pending": True},
        {"processing": -1},
        {"message": 5, "fail": "NSFW"},
        {"message": "sorry"},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_with_its_member(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match=f"^{next(iter(members))}: "):
        parse_outcome(members, FAIL_MESSAGES)


@given(st.sets(st.text(min_size=1, max_size=10), min_size=1, max_size=5), st.text(max_size=10))
def test_a_hint_names_one_near_word_or_all_known_ones(known: set[str], word: str) -> None:
    hint = did_you_mean(word, known)
    all_of_them = f"; known: {', '.join(sorted(known))}"

    assert hint in {all_of_them, *(f'; did you mean "{each}"?' for each in known)}


@given(st.sets(st.text("abcdef", min_size=1), min_size=1, max_size=5), st.data())
def test_a_word_in_another_case_is_its_own_nearest(known: set[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(sorted(known)))

    assert did_you_mean(word.upper(), known) == f'; did you mean "{word}"?'
