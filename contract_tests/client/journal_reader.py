"""Reads evidence out of what the control plane of a mock tells of a sandbox."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Ended, Exchange, TaskSeen


def evidence_of(
    journal: Mapping[str, Any],
    tasks: Iterable[Mapping[str, Any]],
    *,
    is_manual: bool,
    ended: Ended | None = None,
    unauthorized: int = 0,
) -> Evidence:
    """Read what `GET /_mock/journal` and `GET /_mock/tasks` tell of a sandbox."""
    return Evidence(
        exchanges=tuple(_exchange(entry) for entry in journal["entries"]),
        tasks=tuple(_task(task) for task in tasks),
        ended=ended,
        dropped=journal["dropped"],
        is_manual=is_manual,
        unauthorized=unauthorized,
    )


def _exchange(entry: Mapping[str, Any]) -> Exchange:
    request, answer = entry["request"], entry["answer"] or {}
    return Exchange(
        number=entry["seq"],
        at_ms=entry["at_ms"],
        operation=entry["operation"],
        task_id=entry["task_id"] or "",
        status=entry["status"] or 0,
        duration_ms=entry["duration_ms"],
        injected=frozenset(f"{each['kind']} {each['name']}".strip() for each in entry["injected"]),
        error=entry["error"] or "",
        method=request["method"],
        path=request["path"],
        headers=_pairs(request["headers"]),
        body=request["body"],
        answer_headers=_pairs(answer.get("headers", ())),
        answer_body=answer.get("body", ""),
    )


def _task(task: Mapping[str, Any]) -> TaskSeen:
    return TaskSeen(
        id=task["task_id"],
        num_images=task["num_images"],
        created_ms=task["create_time_ms"],
        state=task["state"],
        ended_ms=task.get("complete_time_ms"),
        fail_code=task.get("fail_code"),
        result_urls=tuple(task.get("result_urls", ())),
    )


def _pairs(headers: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers)
