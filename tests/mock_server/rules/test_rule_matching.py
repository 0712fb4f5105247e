"""Rules are matched deterministically, with the prompt searched beforehand."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.operation import Operation
from mock_server.domain.rule_book import RuleBook, RuleBookSnapshot, RuleMatch
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.task import TaskState
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.rules.strategies import FAIL_CODES, rules

Json = dict[str, Any]
ID = "0" * 16
CLOSE: Json = {"wire": "close"}


def parsed(rule: Json) -> RuleDefinition:
    return parse_rule(rule, "rule", FAIL_CODES)


def book_of(*written: Json, queued: Sequence[Json] = ()) -> RuleBook:
    book = RuleBook(1, ID)
    book.replace([parsed(each) for each in written])
    for each in queued:
        book.put_next(parsed(each), 2)
    return book


def submitted(prompt: str | None = "a cat", **more: Any) -> RuleInput:
    return RuleInput(operation=Operation.SUBMIT, prompt=prompt, subject=prompt or "", **more)


counting: st.SearchStrategy[Json] = st.builds(
    lambda match: {"match": match, "apply": CLOSE},
    st.sampled_from([{"times_each": 1}, {"probability": 0.5}, {"nth": "every 2"}, {"times": 2}]),
)
inputs = st.builds(
    RuleInput,
    operation=st.sampled_from(Operation),
    subject=st.sampled_from(["a", "b"]),
    prompt=st.none() | st.sampled_from(["", "aab", "a cat"]),
    headers=st.sampled_from([frozenset(), frozenset({(b"x-test", b"yes")})]),
    state=st.none() | st.sampled_from(TaskState),
    attempt=st.integers(0, 2),
    is_early=st.booleans(),
    found_patterns=st.frozensets(st.sampled_from(["a+b", "^x", "(?i)cat|dog"])),
)


@given(
    st.lists(rules | counting, max_size=4),
    st.lists(rules, max_size=2),
    st.lists(inputs, max_size=12),
)
def test_equal_books_return_equal_matches(
    written: list[Json], queued: list[Json], asked: list[RuleInput]
) -> None:
    first, second = book_of(*written, queued=queued), book_of(*written, queued=queued)

    assert [first.match(each) for each in asked] == [second.match(each) for each in asked]
    assert first.snapshot() == second.snapshot()


@given(st.lists(rules | counting, max_size=4), st.lists(inputs, max_size=12), st.integers(0, 12))
def test_restored_book_continues_as_the_old_one(
    written: list[Json], asked: list[RuleInput], cut: int
) -> None:
    whole, old, restored = book_of(*written), book_of(*written), RuleBook(1, ID)
    matches = [whole.match(each) for each in asked]

    before = [old.match(each) for each in asked[:cut]]
    raw = msgspec.json.encode(old.snapshot())
    kept = msgspec.json.decode(raw, type=RuleBookSnapshot)
    assert set(restored.restoring_steps(kept, FAIL_CODES)) <= {None}
    after = [restored.match(each) for each in asked[cut:]]

    assert [*before, *after] == matches
    assert restored.snapshot() == whole.snapshot()


@pytest.mark.parametrize(
    ("match", "needed"),
    [
        ({"prompt_regex": "c.t"}, ["c.t", "d.g"]),
        ({"prompt_regex": "c.t", "operation": "status"}, ["d.g"]),
        ({"prompt_regex": "c.t", "prompt": "dog"}, ["d.g"]),
        ({"prompt_regex": "c.t", "header": {"X": "y"}}, ["d.g"]),
        ({"prompt_regex": "d.g"}, ["d.g"]),
        ({"prompt": "cat"}, []),
        ({"prompt": "dog"}, ["d.g"]),
        ({"prompt": "cat", "nth": 2}, ["d.g"]),
        ({"prompt": "cat", "times": 2}, ["d.g"]),
        ({"prompt": "cat", "times_each": 1}, ["d.g"]),
        ({"prompt": "cat", "probability": 0.5}, ["d.g"]),
    ],
    ids=str,
)
def test_patterns_are_those_of_rules_that_can_match(match: Json, needed: list[str]) -> None:
    book = book_of(
        {"match": match, "apply": CLOSE}, {"match": {"prompt_regex": "d.g"}, "apply": CLOSE}
    )

    assert book.patterns_for(submitted()) == needed
    assert book.patterns_for(submitted(prompt=None)) == []


def test_patterns_of_the_queue_come_first() -> None:
    queued = [{"match": {"prompt_regex": "q"}, "apply": CLOSE}]
    book = book_of({"match": {"prompt_regex": "r"}, "apply": CLOSE}, queued=queued)

    assert book.patterns_for(submitted()) == ["q", "r"]


@given(st.lists(rules | counting, max_size=4), st.lists(inputs, max_size=6))
def test_no_other_pattern_changes_the_match(written: list[Json], asked: list[RuleInput]) -> None:
    """What `patterns_for` leaves out makes no difference."""
    narrow, wide = book_of(*written), book_of(*written)

    for each in asked:
        if each.prompt is None:
            continue
        needed = each.found_patterns & set(narrow.patterns_for(each))
        narrowed = msgspec.structs.replace(each, found_patterns=needed)
        assert narrow.match(narrowed) == wide.match(each)


class Search:
    """Finds what it is told to find, and notes what it was asked for."""

    def __init__(self, *found: str) -> None:
        self.found_patterns = frozenset(found)
        self.asked: list[Sequence[str]] = []

    async def found(self, patterns: Sequence[str], text: str, group: str = "") -> frozenset[str]:
        self.asked.append(patterns)
        return self.found_patterns


def matched(rule: Json, search: Search) -> RuleMatch | None:
    """Return what the rule of a new sandbox injects into a submit."""

    async def match() -> RuleMatch | None:
        store = MemoryStore(
            SandboxTemplate(
                seed=1,
                settings=SandboxSettings(),
                clock=ClockSettings(),
                models={},
                fail_messages={},
                rules=(parsed(rule),),
            )
        )
        sandbox = await store.open(ID, is_broke=False, real_ms=0)
        return await RuleMatcher(store, search).match(sandbox, submitted(), 0)

    return asyncio.run(match())


def test_rule_whose_pattern_is_found_matches() -> None:
    rule: Json = {"match": {"prompt_regex": "c.t"}, "apply": CLOSE}
    found, missed = Search("c.t"), Search()

    assert matched(rule, found) is not None
    assert matched(rule, missed) is None
    assert found.asked == missed.asked == [["c.t"]]


def test_nothing_is_searched_for_without_a_pattern() -> None:
    search = Search()

    assert matched({"apply": CLOSE}, search) is not None
    assert search.asked == []


@pytest.mark.parametrize("match", [{"times_each": 1}, {"probability": 0.99}])
def test_counters_of_an_endless_prompt_are_small(match: Json) -> None:
    """The prompt of an invalid submit may be as long as its body."""
    book = book_of({"match": match, "apply": {"refuse": {"status": 503}}})
    endless, other = submitted("x" * 3_000_000), submitted("x" * 3_000_000 + "y")

    matches = [book.match(each) is not None for each in (endless, endless, other)]
    assert matches == ([True, False, True] if "times_each" in match else matches)
    [rule] = book.snapshot().own
    assert len(msgspec.json.encode([rule.hits, rule.tries])) < 300


@pytest.mark.parametrize("rules", [1, 500])
def test_counters_of_all_rules_together_are_limited(rules: int) -> None:
    """A rule that is never drawn counts every prompt, and so do all rules after it."""
    book = book_of(*[{"match": {"probability": 1e-9}, "apply": CLOSE}] * rules)

    for number in range(300):
        book.match(submitted(f"{'x' * 15_000}{number}"))

    counters = [subject for rule in book.snapshot().own for subject in rule.tries]
    assert len(counters) == rules * min(300, 100_000 // rules)
    assert max(map(len, counters)) <= 100
