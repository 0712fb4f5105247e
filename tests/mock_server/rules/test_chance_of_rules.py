"""Probability and `times_each` depend on what a rule meets, not on the order of requests."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.operation import Operation
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, RuleInput

Json = dict[str, Any]


def parsed(rule: Json) -> RuleDefinition:
    return parse_rule(rule, "rule", {})


def lucky(seed: int, asked: list[str], probability: float = 0.5) -> list[tuple[str, bool]]:
    rule_ = {"match": {"probability": probability}, "apply": {"wire": "close"}}
    book = RuleBook(seed, "0" * 16)
    book.replace([parsed(rule_)])
    return [
        (subject, book.match(RuleInput(operation=Operation.STATUS, subject=subject)) is not None)
        for subject in asked
    ]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.randoms(), st.integers(0, 2**32))
def test_chance_does_not_depend_on_the_order(asked: list[str], random: Any, seed: int) -> None:
    shuffled = random.sample(asked, len(asked))

    assert sorted(lucky(seed, asked)) == sorted(lucky(seed, shuffled))


def test_chance_is_about_what_was_asked_for_and_another_with_another_seed() -> None:
    asked = [f"task {number}" for number in range(2000)]
    hits = sum(hit for _, hit in lucky(1, asked, 0.3))

    assert 500 < hits < 700
    assert lucky(1, asked) == lucky(1, asked)
    assert lucky(1, asked) != lucky(2, asked)


@given(st.lists(st.sampled_from("ab"), max_size=20))
def test_times_each_bounds_what_meets_one_subject(asked: list[str]) -> None:
    book = RuleBook(1, "0" * 16)
    book.replace([parsed({"match": {"times_each": 2}, "apply": {"wire": "close"}})])
    hits = [
        each for each in asked if book.match(RuleInput(operation=Operation.STATUS, subject=each))
    ]

    assert {each: hits.count(each) for each in "ab"} == {
        each: min(2, asked.count(each)) for each in "ab"
    }


def test_two_rules_of_the_same_text_draw_apart() -> None:
    book = RuleBook(1, "0" * 16)
    book.replace([parsed({"match": {"probability": 0.5}, "apply": {"wire": "close"}})] * 2)
    for number in range(400):
        book.match(RuleInput(operation=Operation.STATUS, subject=str(number)))

    assert all(60 < rule_.applied < 240 for rule_ in book.rules)
