"""Whatever is sent as a rule is taken or refused with its path; what is shown can be put back."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.domain.faults import CALLBACKS, RESULT_MEANINGS, STATUS_MEANINGS, WIRE
from mock_server.domain.journal import Operation
from mock_server.domain.rule_book import BookState, RuleBook
from mock_server.domain.rules import MEMBERS, Asked, parse_rule
from mock_server.domain.task import TaskState
from mock_server.domain.wording import Wrong
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock

FAIL_CODES = {"NSFW": "not safe"}
_numbers = count(1)

durations = st.integers(0, 9).map(lambda n: f"{n}s") | st.integers(0, 9) | st.just("1.5ms")
applies = st.one_of(
    st.sampled_from([{"wire": wire} for wire in WIRE]),
    st.sampled_from([{"meaning": each} for each in (*STATUS_MEANINGS, *RESULT_MEANINGS)]),
    st.sampled_from([{"callback": each} for each in set(CALLBACKS) - {"duplicate", "delay"}]),
    st.integers(1, 100).map(lambda n: {"callback": {"duplicate": n}}),
    durations.map(lambda length: {"callback": {"delay": length}}),
    st.builds(
        lambda status, wait: {"refuse": {"status": status, "message": "x", "retry_after": wait}},
        st.integers(400, 599),
        st.sampled_from([None, 0, 7, "7", "date:7"]),
    ),
    st.fixed_dictionaries(
        {"outcome": st.fixed_dictionaries({"hold": st.booleans()}, optional={"pending": durations})}
    ),
    st.builds(
        lambda sigma: {"latency": {"lognormal": {"median": "1s", "sigma": sigma, "max": 3}}},
        st.floats(0.001, 10),
    ),
)
matches = st.fixed_dictionaries(
    {},
    optional={
        "prompt": st.text(min_size=1, max_size=20),
        "prompt_regex": st.sampled_from(["a+b", "^x", r"\d{2,4}", "(?i)cat|dog"]),
        "header": st.just({"X-Test": "yes"}),
        "nth": st.integers(1, 10**9) | st.sampled_from(["2..4", "every 3", "7", " 1..1 "]),
        "times": st.integers(1, 10**9),
        "times_each": st.none() | st.integers(1, 9),
        "probability": st.floats(0, 1) | st.integers(0, 1),
    },
)
rules = st.fixed_dictionaries({"apply": applies}, optional={"match": matches})

words = st.sampled_from(
    [*MEMBERS, *WIRE, *CALLBACKS, "match", "apply", "2..1", "every 0", "date:x"]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | words
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: object) -> Iterator[tuple[Json, str]]:
    """Yield each member of an object, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield value, name
            yield from places(inner)


@st.composite
def spoiled(draw: st.DrawFn) -> Json:
    """Draw a good rule with anything in one of its places, or anything more."""
    rule: Json = json.loads(json.dumps(draw(rules)))
    holder, name = draw(st.sampled_from(list(places(rule))))
    if draw(st.booleans()):
        holder[name] = draw(anything)
    else:
        holder[draw(words | st.text())] = draw(anything)
    return rule


@settings(max_examples=150)
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


@settings(max_examples=300)
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


@settings(max_examples=500)
@given(spoiled() | anything, st.sampled_from(Operation), st.text())
def test_a_definition_that_is_taken_can_be_kept_and_chosen(
    rule: object, operation: Operation, prompt: str
) -> None:
    with suppress(Wrong):
        parsed = parse_rule(rule, "rule", FAIL_CODES)
        book = RuleBook(1, "0" * 16)
        book.set([parsed])
        book.put_next(parsed, 1)
        for state in (None, *TaskState):
            book.choose(Asked(operation=operation, prompt=prompt, state=state, subject=prompt))

        kept = msgspec.json.decode(msgspec.json.encode(book.state()), type=BookState)
        again = RuleBook(1, "0" * 16)
        again.take_up(kept, FAIL_CODES)
        assert again.state() == book.state()
        assert parse_rule(parsed.written, "rule", FAIL_CODES) == parsed


@given(spoiled() | anything)
def test_what_is_wrong_is_told_with_its_path(rule: object) -> None:
    try:
        parse_rule(rule, "rule", FAIL_CODES)
    except Wrong as error:
        told = str(error)
    else:
        told = "rule: nothing"

    assert told.startswith(("rule: ", "rule."))


def fresh(mock: RunningMock) -> Api:
    return mock.api(f"a-key-of-definitions-{next(_numbers)}")
