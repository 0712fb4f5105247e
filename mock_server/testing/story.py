"""What happened in a sandbox, as lines to read under a failed test."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
_TASKS = 20
_ENTRIES = 60


def story(tasks: Sequence[Json], entries: Sequence[Json]) -> str:
    """Return the newest tasks and entries, instants in seconds since the first that is shown."""
    shown = entries[-_ENTRIES:]
    began_ms = min((entry["at_ms"] for entry in shown), default=0)
    lines = [_task(task) for task in reversed(tasks[:_TASKS])]
    lines += [f"({len(entries) - len(shown)} earlier requests are not shown)"] * (
        len(entries) > len(shown)
    )
    lines += [_entry(entry, began_ms) for entry in shown]
    return "\n".join(lines) or "nothing was asked of the mock"


def _task(task: Json) -> str:
    end = f" {task['fail_code']}: {task['fail_msg']}" if task.get("fail_code") else ""
    return f"{task['task_id']} {task['state']}{end}  {task['prompt'][:60]!r}"


def _entry(entry: Json, began_ms: int) -> str:
    at_s = (entry["at_ms"] - began_ms) / 1000
    request = entry["request"]
    fault = f"  [{entry['rule']}: {entry['fault']}]" if entry["rule"] else ""
    error = f"  {entry['error']}" if entry["error"] else ""
    status = entry["status"] or "-"
    return f"{at_s:9.3f} s  {status}  {request['method']} {request['path']}{fault}{error}"
