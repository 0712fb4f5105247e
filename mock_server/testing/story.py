"""What happened in a sandbox, as lines to read under a failed test."""

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Line = tuple[int, str]
SHOWN_TASKS = 20
_SHOWN_LINES = 60
_SHOWN_CHARS = 200
_SHOWN_PROMPT = 60
_HIDDEN = "[key]"


def story(newest: Sequence[Json], count: int, entries: Sequence[Json], *, secret: str) -> str:
    """Return the newest tasks, then what happened, in seconds since the first that is shown.

    `newest` are tasks with their timelines, newest first; `count` is how many there are. The
    `secret` is not shown, wherever it stands.
    """
    events = [*_transitions(newest), *map(_entry, entries)]
    events.sort(key=lambda event: event[0])  # at one instant: transitions, then requests in order
    shown = events[-_SHOWN_LINES:]
    lines = [_task(task, secret) for task in reversed(newest)]
    if count > len(newest):
        lines.insert(0, f"({count - len(newest)} earlier tasks are not shown)")
    if len(events) > len(shown):
        lines.append(f"({len(events) - len(shown)} earlier lines are not shown)")
    lines += [f"{(at_ms - shown[0][0]) / 1000:9.3f} s  {text}" for at_ms, text in shown]
    return (
        "\n".join(_bounded(line.replace(secret, _HIDDEN)) for line in lines)
        or "nothing was asked of the mock"
    )


def _task(task: Json, secret: str) -> str:
    end = f" {task['fail_code']}: {task['fail_msg']}" if task.get("fail_code") else ""
    prompt = task["prompt"].replace(secret, _HIDDEN)[:_SHOWN_PROMPT]
    return f"{task['task_id']} {task['state']}{end}  {prompt!r}"


def _transitions(tasks: Sequence[Json]) -> Iterator[Line]:
    for task in tasks:
        for event in task["timeline"]:
            if event["kind"] == "transition" and event["at_ms"] > task["create_time_ms"]:
                yield event["at_ms"], f"---  {task['task_id']} is {event['state']}"


def _entry(entry: Json) -> Line:
    request = entry["request"]
    fault = f"  [{entry['rule']}: {entry['fault']}]" if entry["rule"] else ""
    error = f"  {entry['error']}" if entry["error"] else ""
    status = entry["status"] or "---"
    return entry["at_ms"], f"{status}  {request['method']} {request['path']}{fault}{error}"


def _bounded(line: str) -> str:
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return plain if len(plain) <= _SHOWN_CHARS else f"{plain[: _SHOWN_CHARS - 1]}…"
