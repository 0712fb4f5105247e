"""Format the timeline of a sandbox as lines for the report of a failed test."""

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
_TimedLine = tuple[int, str]  # Unix milliseconds, text

MAX_TASKS = 20
_MAX_LINES = 60
_MAX_LINE_LENGTH = 200
_MAX_PROMPT_LENGTH = 60
_REDACTED = "[key]"


def format_timeline(
    newest: Sequence[Json], task_count: int, entries: Sequence[Json], *, secret: str
) -> str:
    """Return the newest tasks, then their transitions and the journal's entries in order.

    Times are seconds since the first line shown. `newest` are tasks with their timelines, newest
    first, and `task_count` is the number of all tasks. The `secret` is redacted everywhere.
    """
    # Sorting is stable: transitions come before the requests of the same instant.
    events = [*_transitions(newest), *map(_format_entry, entries)]
    events.sort(key=lambda event: event[0])
    shown = events[-_MAX_LINES:]
    lines = [_format_task(task, secret) for task in reversed(newest)]
    if task_count > len(newest):
        lines.insert(0, f"({task_count - len(newest)} earlier tasks are not shown)")
    if len(events) > len(shown):
        lines.append(f"({len(events) - len(shown)} earlier lines are not shown)")
    lines += [f"{(at_ms - shown[0][0]) / 1000:9.3f} s  {text}" for at_ms, text in shown]
    return (
        "\n".join(_printable(line.replace(secret, _REDACTED)) for line in lines)
        or "the mock received no requests"
    )


def _format_task(task: Json, secret: str) -> str:
    failure = f" {task['fail_code']}: {task['fail_msg']}" if task.get("fail_code") else ""
    prompt = task["prompt"].replace(secret, _REDACTED)[:_MAX_PROMPT_LENGTH]
    return f"{task['task_id']} {task['state']}{failure}  {prompt!r}"


def _transitions(tasks: Sequence[Json]) -> Iterator[_TimedLine]:
    for task in tasks:
        for event in task["timeline"]:
            if event["kind"] == "transition" and event["at_ms"] > task["create_time_ms"]:
                yield event["at_ms"], f"---  {task['task_id']} is {event['state']}"


def _format_entry(entry: Json) -> _TimedLine:
    request = entry["request"]
    fault = f"  [{entry['rule']}: {entry['fault']}]" if entry["rule"] else ""
    error = f"  {entry['error']}" if entry["error"] else ""
    status = entry["status"] or "---"
    return entry["at_ms"], f"{status}  {request['method']} {request['path']}{fault}{error}"


def _printable(line: str) -> str:
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return text if len(text) <= _MAX_LINE_LENGTH else f"{text[: _MAX_LINE_LENGTH - 1]}…"
