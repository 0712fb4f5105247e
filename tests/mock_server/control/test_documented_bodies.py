"""The control plane accepts exactly the bodies that match its OpenAPI document."""

from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mock_server.control.openapi.document import control_document
from mock_server.domain import outcome
from mock_server.domain.errors import RuleError
from mock_server.domain.operation import Operation
from mock_server.domain.rule_grammar import Apply
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.task import TaskState
from tests.mock_server.control.documented import problems
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.rules.strategies import (
    CALLBACKS,
    FAIL_CODES,
    MEANINGS,
    MEMBERS,
    WIRES,
    anything,
    places,
    rules,
    spoiled,
)
from tests.properties import examples

DOCUMENT = control_document([], FAIL_CODES, "http://mock")
SCHEMAS = DOCUMENT["components"]["schemas"]

FAULTS: list[Json] = [
    *({"wire": each} for each in WIRES),
    *({"meaning": each} for each in MEANINGS),
    *({"callback": each} for each in CALLBACKS),
    {"callback": {"duplicate": 3}},
    {"callback": {"delay": "30s", "duplicate": None}},
    {"latency": "400ms"},
    {"latency": 0.4},
    {"latency": {"uniform": ["100ms", 2]}},
    {"latency": {"lognormal": {"median": "300ms", "sigma": 0.5, "max": "3s"}}},
    {"outcome": {"fail": "NSFW", "message": "no", "pending": "2s", "processing": 5}},
    {"outcome": {"hold": True}, "meaning": None, "refuse": None, "callback": None, "latency": 1},
    {"wire": "close", "refuse": {"status": 503}, "latency": "1ms"},
    {"outcome": {"polls": "3", "hold": False, "message": None}},
    {"refuse": {"status": 503}},
    *({"refuse": {"status": 429, "retry_after": each}} for each in (7, "7", "date:7", None)),
]  # fmt: skip
MATCHERS: list[Json] = [
    {},
    *({"operation": each} for each in Operation),
    {"operation": list(Operation)},
    *({"operation": "status", "state": each} for each in TaskState),
    {"operation": "callback", "attempt": 2},
    {"prompt": "cat", "prompt_regex": "^c.t", "header": {"X-Test": "yes"}},
    *({"nth": each} for each in (1, "7", "2..4", "every 3")),
    {"times": 2, "times_each": 1, "probability": 0.5, "state": None},
]
NO_FAULTS: list[Json] = [
    {},
    {"outcome": {}},
    {"outcome": {"message": "without a code"}},
    {"outcome": {"pending": "soon"}},
    {"outcome": {"polls": 0}},
    {"refuse": {"message": "without a status"}},
    {"refuse": {"status": 200}},
    {"refuse": {"status": 429, "retry_after": "soon"}},
    {"callback": "duplicate"},
    {"callback": {"duplicate": 0}},
    {"callback": {"duplicate": 1, "delay": 1}},
    {"latency": {"uniform": ["1s"]}},
    {"latency": {"lognormal": {"median": "1s"}}},
    {"latency": {"lognormal": {"median": "1s", "sigma": 0, "max": 2}}},
    {"wire": "garbage ", "latency": 1},
    {"refuse": {"status": 503}, "outcome": {"hold": True}},
    {"refuse": {"status": 503}, "meaning": "final-late"},
    {"refuse": {"status": 503}, "callback": "drop"},
    {"outcome": {"hold": True}, "meaning": "final-late"},
    {"outcome": {"hold": True}, "callback": "drop"},
    {"meaning": "final-late", "callback": "drop"},
    {"wire": "close", "callback": "drop"},
]
NO_MATCHERS: list[Json] = [
    {"operation": []},
    {"operation": "submitt"},
    {"prompt": ""},
    {"header": {}},
    {"header": {"X": 1}},
    {"nth": "2-4"},
    {"times": 0},
    {"probability": 1.5},
    {"attempt": 101},
]
NO_RULES: list[Json] = [
    {"match": {}},
    {"apply": None},
    *({"apply": each} for each in NO_FAULTS),
    *({"match": each, "apply": {"latency": 1}} for each in NO_MATCHERS),
]
SETTINGS: list[tuple[Json, bool]] = [
    ({"rate_limit": 5, "generation_time": "1m", "profile": "hostile", "balance": 0}, True),
    ({"generation_time": 2.5, "image_urls": "fetch", "insufficient_credits_status": 402}, True),
    ({}, True),
    ({"rate_limit": 0}, False),
    ({"profile": "friendly"}, False),
    ({"generation_time": "soon"}, False),
    ({"generation_time": -1}, False),
    ({"rate_limits": 5}, False),
]
FINISHES: list[tuple[Json, bool]] = [
    ({"state": "success"}, True),
    ({"state": "failed", "failCode": "NSFW", "failMsg": "no"}, True),
    ({"state": "pending"}, False),
    ({"state": "failed", "failCode": "NSWF"}, False),
    ({}, False),
]
DURATIONS: list[object] = [1, 2.5, "2", "500ms", "3m", "1h", "15d"]
NO_DURATIONS: list[object] = [-1, "1y", None, []]
ADVANCES: list[tuple[Json, bool]] = [
    *(({"seconds": each}, True) for each in DURATIONS),
    *(({"seconds": each}, False) for each in NO_DURATIONS),
]


def is_rule(value: object) -> bool:
    """Return whether the server accepts it."""
    with suppress(RuleError):
        parse_rule(value, "rule", FAIL_CODES)
        return True
    return False


def is_documented(value: object) -> bool:
    return not problems(DOCUMENT, SCHEMAS["Rule"], value)


@pytest.mark.parametrize("apply", FAULTS, ids=str)
def test_every_fault_is_valid_for_server_and_document(apply: Json) -> None:
    assert is_rule({"apply": apply})
    assert is_documented({"apply": apply})


@pytest.mark.parametrize("match", MATCHERS, ids=str)
def test_every_matcher_is_valid_for_server_and_document(match: Json) -> None:
    rule = {"match": match, "apply": {"latency": 1}}

    assert is_rule(rule)
    assert is_documented(rule)


@pytest.mark.parametrize("rule", NO_RULES, ids=str)
def test_invalid_rules_are_invalid_for_server_and_document(rule: Json) -> None:
    assert not is_rule(rule)
    assert not is_documented(rule)


@examples(500)
@given(rules | spoiled() | anything)
def test_every_rule_that_the_server_accepts_matches_the_document(rule: object) -> None:
    if is_rule(rule):
        assert problems(DOCUMENT, SCHEMAS["Rule"], rule) == []


@given(st.data())
def test_rules_with_unknown_members_are_invalid_for_server_and_document(
    data: st.DataObject,
) -> None:
    match, apply = data.draw(st.sampled_from(MATCHERS)), data.draw(st.sampled_from(FAULTS))
    rule: Json = deepcopy({"match": match, "apply": apply})
    holders = [rule, *(holder[name] for holder, name in places(rule) if name != "header")]
    place = data.draw(st.sampled_from([each for each in holders if isinstance(each, dict)]))
    name = data.draw(st.text())
    known = {"match", "apply", "id", "applied", "duplicate", "delay", "uniform", "lognormal"}
    known |= {"status", "message", "retry_after", "median", "sigma", "max"}
    assume(name not in known | {*MEMBERS, *outcome.MEMBERS, *Apply.__struct_fields__})
    place[name] = 1

    assert not is_rule(rule)
    assert not is_documented(rule)


def test_next_has_a_count_instead_of_counting_matchers() -> None:
    given = {name: SCHEMAS[name]["properties"] for name in ("Match", "NextMatch")}

    assert set(given["Match"]) == set(MEMBERS)
    counting = {"nth", "times", "times_each", "probability"}
    assert set(given["NextMatch"]) == set(MEMBERS) - counting


@pytest.mark.parametrize(
    ("method", "path", "body", "is_taken"),
    [
        *(("PATCH", "sandbox", *each) for each in SETTINGS),
        *(("POST", "tasks/{task_id}/finish", *each) for each in FINISHES),
        *(("POST", "clock/advance", *each) for each in ADVANCES),
        ("PUT", "clock", {"mode": "real", "speed": 2}, True),
        ("PUT", "clock", {"mode": "virtual"}, False),
        ("PUT", "clock", {"speed": 0}, False),
        ("POST", "journal/count", {"operation": "submit", "since": 0, "limit": 1}, True),
        ("POST", "journal/count", {"operation": "submitt"}, False),
        ("POST", "next", {"apply": {"wire": "close"}, "match": {"prompt": "x"}, "count": 2}, True),
        ("POST", "next", {"apply": {"wire": "close"}, "match": {"nth": 2}}, False),
        ("POST", "next", {"apply": {"wire": "closed"}}, False),
        ("POST", "next", {"apply": {"wire": "close"}, "match": False}, False),
        ("POST", "next", {"apply": {"wire": "close"}, "count": 0}, False),
        ("PUT", "rules", {"rules": [{"apply": {"wire": "close"}}]}, True),
        ("PUT", "rules", {"rules": [{"apply": {"wire": "close"}}, {}]}, False),
        ("PUT", "rules", {"rules": [{"apply": {"latency": 0}}] * 1001}, False),
        ("POST", "rules", {"match": None, "apply": {"wire": "close"}, "applied": 3}, True),
        ("POST", "rules", {"aply": {"wire": "close"}}, False),
    ],
)
def test_server_accepts_exactly_the_bodies_that_match_the_document(
    api: Api, document: Json, method: str, path: str, body: Json, *, is_taken: bool
) -> None:
    operation = document["paths"][f"/_mock/{path}"][method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    task_id = api.submit("a hare [[mock hold]]")

    answer = api.control(method, path.format(task_id=task_id), body)

    assert answer.status_code == (200 if is_taken else 400), answer.text
    assert (problems(document, schema, body) == []) is is_taken


def test_empty_body_is_accepted_exactly_where_the_document_says_so(
    api: Api, document: Json
) -> None:
    needed = {
        (path, method): operation["requestBody"]["required"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    }
    task_id = api.submit("a hare [[mock hold]]")
    answers = {
        (path, method): api.send(method, path.format(task_id=task_id)).status_code
        for path, method in needed
    }

    assert answers == {each: 400 if is_needed else 200 for each, is_needed in needed.items()}
