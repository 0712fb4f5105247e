"""Search prompts for the regular expressions of rules, within a time limit."""

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter

log = logging.getLogger("mock_server.rules")

SEARCH_LIMIT_S = 0.05  # For all searches of one request, because they block other requests.

_PARTS = r"(?s)\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?!\d*,?\d*\})"
_IN_SET = r"(?s)\\.|\["


class RegexPatternSearch:
    """Searches with the package `regex`, which has time limits, but in the syntax of `re`."""

    def __init__(self, limit_s: float = SEARCH_LIMIT_S) -> None:
        self._limit_s = limit_s

    def found(self, patterns: Sequence[str], text: str) -> frozenset[str]:
        import regex  # noqa: PLC0415  # slow to import, and few rules need it

        left_s = self._limit_s
        found = []
        for pattern in patterns:
            if left_s <= 0:
                break
            began_s = perf_counter()
            try:
                if regex.search(in_python_syntax(pattern), text, timeout=left_s):
                    found.append(pattern)
            except TimeoutError:
                pass
            except (regex.error, OverflowError, RecursionError) as error:
                log.warning("rule with prompt_regex %r never matches: %s", pattern, error)
            left_s -= perf_counter() - began_s
        return frozenset(found)


@lru_cache(maxsize=1000)
def in_python_syntax(pattern: str) -> str:
    """Return a pattern for `regex` that has the same meaning as this one in Python's `re`.

    Only `regex` has fuzzy matching (`{e<=1}`) and classes such as `[[:alpha:]]`. In `re`, both are
    ordinary text.
    """
    return re.sub(_PARTS, lambda found: _escaped(found[0]), pattern)


def _escaped(part: str) -> str:
    if part.startswith("{"):
        return rf"\{part}"
    if part.startswith("["):
        return "[" + re.sub(_IN_SET, lambda each: each[0] if len(each[0]) > 1 else r"\[", part[1:])
    return part
