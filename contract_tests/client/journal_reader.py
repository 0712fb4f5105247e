"""Reads evidence from the control plane's JSON about a sandbox."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from contract_tests.client.evidence import Evidence, never_cancelled
from contract_tests.client.records import ClientExit, HttpExchange, TaskRecord, Trait

Headers = tuple[tuple[str, str], ...]


def read_evidence(
    journal: Mapping[str, Any],
    tasks: Iterable[Mapping[str, Any]],
    *,
    is_manual: bool,
    client_exit: ClientExit | None = None,
    unauthorized: int = 0,
    prompt: str | None = None,
    declared: frozenset[Trait] = frozenset(),
    check_cancelled: Callable[[], None] = never_cancelled,
) -> Evidence:
    """Return the evidence in the answers of `GET /_mock/journal` and `GET /_mock/tasks`.

    Entries and tasks are read one by one. `check_cancelled` is called while the evidence is judged.
    """
    shared: dict[Headers, Headers] = {}  # Most requests of a client have the same headers.
    return Evidence(
        exchanges=tuple(_exchange(entry, shared) for entry in journal["entries"]),
        tasks=tuple(_task(task) for task in tasks),
        client_exit=client_exit,
        dropped=journal["dropped"],
        is_manual=is_manual,
        unauthorized=unauthorized,
        prompt=prompt,
        declared=declared,
        check_cancelled=check_cancelled,
    )


def _exchange(entry: Mapping[str, Any], shared: dict[Headers, Headers]) -> HttpExchange:
    request, response = entry["request"], entry["answer"] or {}
    return HttpExchange(
        number=entry["seq"],
        at_ms=entry["at_ms"],
        began_ms=entry["real_ms"],
        client_status=entry["client_status"] or 0,
        operation=entry["operation"],
        task_id=entry["task_id"] or "",
        status=entry["status"] or 0,
        duration_ms=entry["duration_ms"],
        injected=frozenset(f"{each['kind']} {each['name']}".strip() for each in entry["injected"]),
        is_injected_rejection=any(each["kind"] == "refuse" for each in entry["injected"]),
        error=entry["error"] or "",
        method=request["method"],
        path=request["path"],
        headers=_pairs(request["headers"], shared),
        body=request["body"],
        response_headers=_pairs(response.get("headers", ()), shared),
        response_body=response.get("body", ""),
    )


def _task(task: Mapping[str, Any]) -> TaskRecord:
    return TaskRecord(
        id=task["task_id"],
        num_images=task["num_images"],
        created_ms=task["create_time_ms"],
        state=task["state"],
        ended_ms=task.get("complete_time_ms"),
        fail_code=task.get("fail_code"),
        result_urls=tuple(task.get("result_urls", ())),
    )


def _pairs(headers: Sequence[Sequence[str]], shared: dict[Headers, Headers]) -> Headers:
    pairs = tuple((name, value) for name, value in headers)
    return shared.setdefault(pairs, pairs)
