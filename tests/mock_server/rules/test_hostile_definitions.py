"""Whatever is sent as a rule is taken or refused with its path; what is shown can be put back."""

from contextlib import suppress
from itertools import count

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.errors import RuleError
from mock_server.domain.operation import Operation
from mock_server.domain.rule_book import RuleBook, RuleBookSnapshot
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleInput
from mock_server.domain.task import TaskState
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.rules.strategies import FAIL_CODES, anything, rules, spoiled
from tests.properties import examples

_numbers = count(1)


@examples(150)
@given(st.lists(rules, max_size=5))
def test_what_is_shown_can_be_put_back_and_is_what_was_written(
    mock: RunningMock, written: list[Json]
) -> None:
    api = fresh(mock)

    first = api.told("PUT", "rules", {"rules": written})
    again = api.told("PUT", "rules", first)

    assert [each["apply"] for each in again["rules"]] == [each["apply"] for each in written]
    assert [each["match"] for each in again["rules"]] == [each.get("match", {}) for each in written]
    api.control("DELETE", "sandbox")


@examples(300)
@given(spoiled() | anything)
def test_a_definition_is_taken_or_refused_whole_with_its_path(
    mock: RunningMock, rule: object
) -> None:
    api = fresh(mock)
    before = api.told("PUT", "rules", {"rules": [{"apply": {"wire": "close"}}]})

    answer = api.control("PUT", "rules", {"rules": [{"apply": {"wire": "reset"}}, rule]})

    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert answer.json()["data"]["error"].startswith("rules[1]")
        assert api.told("GET", "rules") == before
    api.control("DELETE", "sandbox")


@examples(500)
@given(spoiled() | anything, st.sampled_from(Operation), st.text())
def test_a_definition_that_is_taken_can_be_kept_and_chosen(
    rule: object, operation: Operation, prompt: str
) -> None:
    with suppress(RuleError):
        parsed = parse_rule(rule, "rule", FAIL_CODES)
        book = RuleBook(1, "0" * 16)
        book.replace([parsed])
        book.put_next(parsed, 1)
        for state in (None, *TaskState):
            book.match(RuleInput(operation=operation, prompt=prompt, state=state, subject=prompt))

        kept = msgspec.json.decode(msgspec.json.encode(book.snapshot()), type=RuleBookSnapshot)
        again = RuleBook(1, "0" * 16)
        assert set(again.restoring_steps(kept, FAIL_CODES)) <= {None}
        assert again.snapshot() == book.snapshot()
        assert parse_rule(parsed.written, "rule", FAIL_CODES) == parsed


@given(spoiled() | anything)
def test_what_is_wrong_is_told_with_its_path(rule: object) -> None:
    try:
        parse_rule(rule, "rule", FAIL_CODES)
    except RuleError as error:
        told = str(error)
    else:
        told = "rule: nothing"

    assert told.startswith(("rule: ", "rule."))


def fresh(mock: RunningMock) -> Api:
    return mock.api(f"a-key-of-definitions-{next(_numbers)}")
