"""The rules of `PUT /_mock/rules`: what was read is shown so that it is read the same again."""

import asyncio
import json
from typing import Any

import msgspec

from mock_server.catalogue_files import load_catalogue
from mock_server.control.resources.rules import RulesChange
from mock_server.domain.errors import InvalidValue, RuleError
from mock_server.domain.operation import Operation
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleInput
from mock_server.domain.validation import decode_json
from mock_server.runtime.pattern_search import RegexPatternSearch
from mock_server.settings import Settings
from tests.fuzz.generators import HARD_JSON, filled, json_text, numbered
from tests.fuzz.paths import holder_exists, is_json
from tests.fuzz.target import LONGEST_ERROR, Target

_FAIL_CODES = load_catalogue(Settings()).fail_messages
_SEARCH = RegexPatternSearch(limit_s=0.01)
_RUNNER = asyncio.Runner()
_PROMPT = "a fox aaaaaaaaaaaaaaaaaaaaaa!"
_REFUSAL = b'"apply":{"refuse":{"status":503}}'


def _handle(raw: bytes) -> None:
    try:
        change = decode_json(raw, RulesChange)
        rules = [
            parse_rule(each, f"rules[{at}]", _FAIL_CODES) for at, each in enumerate(change.rules)
        ]
        RuleBook(1, "0" * 16).replace(rules)
    except InvalidValue:
        pass


def _check(raw: bytes) -> None:
    try:
        change = decode_json(raw, RulesChange)
        rules = [
            parse_rule(each, f"rules[{at}]", _FAIL_CODES) for at, each in enumerate(change.rules)
        ]
    except RuleError as error:
        assert len(str(error)) < LONGEST_ERROR, "the error repeats the rule"
        assert not is_json(raw) or holder_exists(json.loads(raw), error.path), error
        return
    except InvalidValue as error:
        assert len(str(error)) < LONGEST_ERROR, "the error repeats the body"
        return
    shown: Any = json.loads(msgspec.json.encode([each.written for each in rules]))
    assert [parse_rule(each, "", _FAIL_CODES).conditions for each in shown] == [
        each.conditions for each in rules
    ]
    book = RuleBook(1, "0" * 16)
    book.replace(rules)
    for operation in Operation:
        _match(book, operation)


def _match(book: RuleBook, operation: Operation) -> None:
    """Match a request as the pipeline does; the quick answer of the filter must be right."""
    rule_input = RuleInput(operation=operation, subject="a", prompt=_PROMPT)
    may_match = book.may_match(rule_input)
    found = _RUNNER.run(_SEARCH.found(book.patterns_for(rule_input)[:3], _PROMPT))
    match = book.match(msgspec.structs.replace(rule_input, found_patterns=found))
    assert match is None or may_match
    assert match is None or 0 <= match.latency_ms <= 3_600_000


def _seeds() -> list[bytes]:
    match = {
        "operation": ["submit", "status"], "prompt": "cat", "prompt_regex": "^a (cat|fo{2,3}x)",
        "header": {"X-Test": "yes"}, "nth": "2..4", "times": 2, "times_each": 1, "probability": 0.5,
    }  # fmt: skip
    lognormal = {"lognormal": {"median": "300ms", "sigma": 0.5, "max": "3s"}}
    written: list[dict[str, object]] = [
        {"match": match, "apply": {"refuse": {"status": 429, "retry_after": "date:7"}}},
        {"match": {"state": "success"}, "apply": {"meaning": "unknown-state"}},
        {"apply": {"outcome": {"fail": "NSFW", "message": "no", "pending": "2s", "polls": "3"}}},
        {"apply": {"latency": {"uniform": ["100ms", 2]}, "wire": "close"}},
        {"match": {"nth": "every 3"}, "apply": {"latency": lognormal}},
        {"match": {"operation": "callback", "attempt": 2}, "apply": {"callback": {"delay": "30s"}}},
        {"apply": {"callback": "drop"}, "id": "rule-1", "applied": 3},
    ]
    each = [json.dumps({"rules": [rule]}).encode() for rule in written]
    return [*each, json.dumps({"rules": written}).encode()]


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(b'"rules"', b'"match"', b'"apply"', b'"prompt_regex"', b'"nth"', b'"callback"', b"(?:"),
    is_json=True,
    worst=HARD_JSON
    | {
        "1,000 rules": filled(
            b'{"rules":[', b"{" + _REFUSAL + b"},", b"{" + _REFUSAL + b"}]}", most=999
        ),
        "an unknown member": filled(b'{"rules":[{"', b"a", b'":0}]}'),
        "unknown members": numbered(b'{"rules":[{' + _REFUSAL, b',"a%d":%d', b"}]}"),
        "headers": numbered(
            b'{"rules":[{' + _REFUSAL + b',"match":{"header":{"a":"b"', b',"a%d":"%d"', b"}}}]}"
        ),
        "a pattern": json_text(
            b'{"rules":[{' + _REFUSAL + b',"match":{"prompt_regex":"',
            "(a|b)*[c-z]",
            b'"}}]}',
            most=90,
        ),
        "a turn": json_text(b'{"rules":[{' + _REFUSAL + b',"match":{"nth":"', " ", b'"}}]}'),
        "operations": filled(
            b'{"rules":[{' + _REFUSAL + b',"match":{"operation":["submit"', b',"submit"', b"]}}]}"
        ),
    },
)
