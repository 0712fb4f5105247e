"""Prompts are searched for the patterns of rules within one time limit, as Python would."""

import logging
import re
import warnings

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from mock_server.runtime.pattern_search import RegexPatternSearch, in_python_syntax

SEARCH = RegexPatternSearch()


def test_every_pattern_in_the_text_is_found() -> None:
    assert SEARCH.found(["^a", "cat$", "dog"], "a cat") == {"^a", "cat$"}


def test_slow_search_leaves_no_time_to_those_after_it() -> None:
    search = RegexPatternSearch(limit_s=0.01)

    assert search.found(["cat$", "(a|aa)+$", "b$"], "cat" + "a" * 60 + "b") == set()
    assert search.found(["b$", "(a|aa)+$", "cat"], "cat" + "a" * 60 + "b") == {"b$"}


def test_pattern_that_cannot_be_compiled_is_not_found_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert SEARCH.found(["(?P<a>", "a"], "a") == {"a"}

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
    ],
)
def test_pattern_means_what_it_means_in_python(pattern: str, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of [[, which another Python may read so
        is_found = re.search(pattern, text) is not None

    assert (SEARCH.found([pattern], text) == {pattern}) is is_found


@given(st.text("ab[]{}:^-,1\\()|.*", max_size=12))
def test_pattern_of_python_can_be_compiled(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(pattern)
        except (re.error, OverflowError):
            return

    regex.compile(in_python_syntax(pattern))
