"""Find the lines of a server's log that show an error of the server itself."""

from collections.abc import Iterable

from benchmarks.soak.problems import Problems

_MARKS = (
    " ERROR ",
    " CRITICAL ",
    "Traceback (most recent call last)",
    "Task was destroyed but it is pending",
    "exception was never retrieved",
    "was never awaited",
    "Exception ignored in",
    "ResourceWarning",
)


def log_problems(lines: Iterable[str]) -> Problems:
    """Return the lines that a server writes only if it has a bug, or fails."""
    problems = Problems()
    for line in lines:
        for mark in _MARKS:
            if mark in line:
                problems.add(f"a log line with {mark.strip()!r}", line.strip()[:300])
                break
    return problems
