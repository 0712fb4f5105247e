"""Search prompts for the regular expressions of rules, within a time limit."""

import asyncio
import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

log = logging.getLogger("mock_server.rules")

SEARCH_LIMIT_S = 0.05  # This is for all searches of one request.
_AT_ONCE_S = 0.001  # After this time, they continue in a thread.
_MAX_COMPILED = 500

_PARTS = r"(?s)\\N\{[^{}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?!\d*,?\d*\})"
_IN_SET = r"(?s)\\.|\["

# Before its first search, `regex` prepares each run of characters. The time grows with the cube of
# the length, and all threads are blocked: for a second if 1,000 characters are equal. An item that
# always matches the empty string ends a run.
_MAX_RUN = 100
_NOTHING = "(?!(?!))"
_SYNTAX = (
    r"\(\?#[^)]*\)|\(\?P?[<=]\w+[>)]|\(\?\(\w+\)|\(\?(?:[A-Za-z-]*[:)]|<?[=!]|>)"
    r"|\{\d*,?\d*\}|[()|*+?^$]"
)
_CHARACTER = r"\\(?:N\{[^}]*\}|x..|u.{4}|U.{8}|\d{1,3}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|."
_ITEMS = f"(?s)(?P<syntax>{_SYNTAX})|{_CHARACTER}"


class RegexPatternSearch:
    """Searches with the package `regex`, which has time limits, but in the syntax of `re`.

    Long searches continue in a thread, so that they do not block other requests. Searches of one
    group wait for one another, so that no group occupies all threads.
    """

    def __init__(self, limit_s: float = SEARCH_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._compiled: dict[str, Any] = {}  # None for a pattern that cannot be compiled.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def found(self, patterns: Sequence[str], text: str, group: str = "") -> frozenset[str]:
        search = _Search(patterns, text, self._limit_s)
        while search.goes_on and search.pattern in self._compiled and search.spent_s < _AT_ONCE_S:
            search.step(self._compiled[search.pattern], _AT_ONCE_S)
        if search.goes_on:
            turn = self._turns.setdefault(group, asyncio.Lock())
            async with turn:
                await asyncio.to_thread(self._finish, search)
        return frozenset(search.found)

    def _finish(self, search: "_Search") -> None:
        import regex  # noqa: F401, PLC0415  # This is slow, and few rules need it.

        while search.goes_on:
            began_s = perf_counter()
            compiled = self._compile(search.pattern)
            search.spent_s += perf_counter() - began_s
            search.step(compiled, self._limit_s, releases_lock=True)

    def _compile(self, pattern: str) -> Any:
        if pattern in self._compiled:
            return self._compiled[pattern]
        import regex  # noqa: PLC0415  # as above

        compiled = None
        try:
            compiled = regex.compile(in_python_syntax(pattern))
        except (regex.error, OverflowError, RecursionError) as error:
            log.warning("rule with prompt_regex %r never matches: %s", pattern, error)
        if len(self._compiled) >= _MAX_COMPILED:
            self._compiled.clear()
        self._compiled[pattern] = compiled
        return compiled


class _Search:
    """The search of one text for several patterns, one after the other."""

    def __init__(self, patterns: Sequence[str], text: str, limit_s: float) -> None:
        self.found: list[str] = []
        self.spent_s = 0.0
        self._waiting = list(reversed(patterns))
        self._text = text
        self._limit_s = limit_s

    @property
    def goes_on(self) -> bool:
        return bool(self._waiting) and self.spent_s < self._limit_s

    @property
    def pattern(self) -> str:
        """The pattern to search for next."""
        return self._waiting[-1]

    def step(self, compiled: Any, until_s: float, *, releases_lock: bool = False) -> None:
        """Search for the next pattern. It must be repeated if `until_s` passes first."""
        left_s = min(until_s, self._limit_s) - self.spent_s
        if left_s <= 0:
            return
        began_s = perf_counter()
        try:
            if compiled and compiled.search(self._text, timeout=left_s, concurrent=releases_lock):
                self.found.append(self.pattern)
            self._waiting.pop()
        except TimeoutError:
            pass
        self.spent_s += perf_counter() - began_s


@lru_cache(maxsize=1000)
def in_python_syntax(pattern: str) -> str:
    """Return a pattern for `regex` that has the same meaning as this one in Python's `re`.

    Only `regex` has fuzzy matching (`{e<=1}`) and classes such as `[[:alpha:]]`. In `re`, both are
    ordinary text.
    """
    return _in_short_runs(re.sub(_PARTS, lambda found: _escaped(found[0]), pattern))


def _in_short_runs(pattern: str) -> str:
    """Return an equal pattern in which at most `_MAX_RUN` characters follow one another."""
    parts: list[str] = []
    run = 0
    for item in re.finditer(_ITEMS, pattern):
        run += item["syntax"] is None
        if run > _MAX_RUN:
            parts.append(_NOTHING)
            run = 1
        parts.append(item[0])
    return "".join(parts)


def _escaped(part: str) -> str:
    if part.startswith("{"):
        return rf"\{part}"
    if part.startswith("["):
        return "[" + re.sub(_IN_SET, lambda each: each[0] if len(each[0]) > 1 else r"\[", part[1:])
    return part
