"""Prompts are searched for the patterns of rules within one time limit, as Python would."""

import asyncio
import logging
import re
import warnings
from unittest import mock

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from mock_server.runtime import pattern_search
from mock_server.runtime.pattern_search import RegexPatternSearch, in_python_syntax

SEARCH = RegexPatternSearch()
pytestmark = pytest.mark.anyio
PARTS = [
    *"ab )*?+|^$.{}-", "aa", "(?:", "(", "{2}", "{1,2}", "{,2}", "[ab]", "[^a]", "[[]", "[]a]",
    r"\x61", r"\u0061", r"\061", r"\.", r"\1", r"\b", r"\N{DIGIT ONE}", "(?P<n>", "(?P=n)", "(?(1)",
    "(?#ab)", "(?=", "(?!", "(?<=", "(?i)", "(?i:", "(?-i:", "(?x)", "# ab\n",
]  # fmt: skip
EVIL, ITS_TEXT = "(a|aa)+$", "a" * 60 + "b"


async def test_every_pattern_in_the_text_is_found() -> None:
    assert await SEARCH.found(["^a", "cat$", "dog"], "a cat") == {"^a", "cat$"}


async def test_slow_search_leaves_no_time_to_those_after_it() -> None:
    search = RegexPatternSearch(limit_s=0.01)

    assert await search.found(["cat$", EVIL, "b$"], f"cat{ITS_TEXT}") == set()
    assert await search.found(["b$", EVIL, "cat"], f"cat{ITS_TEXT}") == {"b$"}


async def test_pattern_that_cannot_be_compiled_is_not_found_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert await SEARCH.found(["(?P<a>", "a"], "a") == {"a"}

    assert "never matches" in caplog.text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?:fox){e<=2}", "a fix"),
        ("(?:fox){e<=2}", "fox{e<=2}"),
        (r"a\{2}", "a{2}"),
        ("[{]x", "{x"),
        ("^a{2,3}$", "aaa"),
        ("[[:alpha:]]", "x"),
        ("[[:alpha:]]", ":]"),
        ("[[:nothing:]]", "n]"),
        (r"[\[a]b", "[b"),
        ("[]a]b", "]b"),
        ("[^]a]b", "xb"),
        ("a{,2}b", "aab"),
        ("a{}b", "a{}b"),
        (r"^\N{DIGIT ONE}$", "1"),
        (r"^[\N{DIGIT ONE}]$", "D"),
    ],
)
async def test_pattern_means_what_it_means_in_python(pattern: str, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of [[, which another Python may read so
        is_found = re.search(pattern, text) is not None

    assert (await SEARCH.found([pattern], text) == {pattern}) is is_found


@given(st.text("ab[]{}:^-,1\\()|.*", max_size=12))
def test_pattern_of_python_can_be_compiled(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(pattern)
        except (re.error, OverflowError):
            return

    regex.compile(in_python_syntax(pattern))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a" * 1000, "a" * 1000),
        (("(?:" + "a" * 96 + ")") * 10, "a" * 960),
        ("(?P<" + "n" * 150 + ">" + "a" * 200 + ")", "a" * 200),
        ("(?#" + "c" * 150 + ")" + r"\x61" * 200, "a" * 200),
        ("[a]" * 330, "a" * 330),
    ],
    ids=["one run", "groups", "name", "comment and escapes", "sets"],
)
async def test_long_runs_of_characters_are_cut(pattern: str, text: str) -> None:
    """Before, the first search for the first of these stopped all requests for a second."""
    runs = in_python_syntax(pattern).split("(?!(?!))")

    assert len(runs) == -(-len(text) // 100)
    assert await SEARCH.found([pattern], text[1:]) == set()
    assert await SEARCH.found([pattern], text) == {pattern}


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join), st.text("ab1{} #", max_size=6))
def test_cut_runs_match_what_python_matches(pattern: str, text: str) -> None:
    with warnings.catch_warnings(), mock.patch.object(pattern_search, "_MAX_RUN", 2):
        warnings.simplefilter("ignore")
        try:
            is_found = re.search(pattern, text) is not None
        except re.error:
            return

        cut = regex.compile(in_python_syntax.__wrapped__(pattern))
    assert (cut.search(text) is not None) is is_found


async def test_slow_searches_do_not_stop_the_event_loop() -> None:
    """Before, each took 50 ms of the loop."""
    search = RegexPatternSearch(limit_s=0.2)
    searches = [asyncio.create_task(search.found([EVIL], ITS_TEXT, "one")) for _ in range(3)]
    turns = 0

    while not all(each.done() for each in searches):
        turns += 1
        await asyncio.sleep(0.001)

    assert turns > 50
    assert [each.result() for each in searches] == [frozenset()] * 3


async def test_slow_searches_of_a_group_do_not_delay_those_of_another() -> None:
    search = RegexPatternSearch(limit_s=0.2)
    slow = [asyncio.create_task(search.found([EVIL], ITS_TEXT, "one")) for _ in range(50)]
    await asyncio.sleep(0)

    assert await search.found(["b$"], ITS_TEXT, "other") == {"b$"}

    assert sum(each.done() for each in slow) < len(slow)
    for each in slow:
        each.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_search_that_goes_on_in_a_thread_is_completed_there() -> None:
    search, text = RegexPatternSearch(limit_s=30), "x" * 50_000 + "cat"
    patterns = ["(?:x|xx)+?cat", "cat$", "dog"]

    for _ in range(2):  # The first time, the patterns are compiled in the thread.
        assert await search.found(patterns, text) == {*patterns[:2]}
