"""Suggest the path that the client of an unknown path probably means."""

from collections.abc import Iterable
from functools import lru_cache

from mock_server.web.paths import STATUS_PATH

# They do not tell what a path is for.
_PREFIXES = frozenset({"api", "v1", "apikeys", "_mock"})
_MAX_SEGMENTS = 6
_MAX_SEGMENT_LENGTH = 60
_LEAST_LIKENESS = 0.5  # One of two words.
_LEAST_RATIO = 0.6
_SHORTEST_PART = 5


class PathHints:
    """Compares unknown paths with the served ones. Paths with parameters are no suggestions."""

    def __init__(self, paths: Iterable[str]) -> None:
        named = {path: _segments(path) for path in paths if "{" not in path}
        self._known = {path: segments for path, segments in named.items() if segments}

    def suggestion(self, path: str) -> str:
        """Return a part of a sentence: the closest path, or where all paths are listed."""
        asked = [each[:_MAX_SEGMENT_LENGTH] for each in _segments(path)[-_MAX_SEGMENTS:]]
        likeness = {known: _likeness(segments, asked) for known, segments in self._known.items()}
        best = max(likeness, key=lambda known: (likeness[known], _ratio(known, path[:200])))
        if likeness[best] < _LEAST_LIKENESS:
            return "GET / lists the paths of this server"
        is_with_task = best.startswith(STATUS_PATH) and asked[-1] not in self._known[best]
        return f"did you mean {best}{'?taskId=<id>' if is_with_task else ''}?"


def _segments(path: str) -> list[str]:
    return [each for each in path.casefold().split("/") if each and each not in _PREFIXES]


def _likeness(known: list[str], asked: list[str]) -> float:
    """Return from 0 to 1 how much of a known path the other path has, in any order."""
    ratios = [max((_ratio(each, other) for other in asked), default=0) for each in known]
    return sum(ratios) / len(ratios)


@lru_cache(maxsize=10_000)
def _ratio(one: str, other: str) -> float:
    """Return from 0 to 1 how similar two words are; a part is as good as a small mistake."""
    from difflib import SequenceMatcher  # noqa: PLC0415  # slow to import, used for errors only

    if len(other) >= _SHORTEST_PART and other in one:
        return 1 if one == other else 0.9
    matcher = SequenceMatcher(None, one, other)
    ratio = matcher.ratio() if matcher.real_quick_ratio() > _LEAST_RATIO else 0
    return ratio if ratio > _LEAST_RATIO else 0
