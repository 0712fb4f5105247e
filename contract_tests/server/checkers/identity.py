"""AUTH-1, AUTH-2, AUTH-4, STA-1 to STA-3, STA-11, SUB-1, SUB-18: who sees which task."""

import re
from collections.abc import Iterator
from typing import Final

from contract_tests.server.checkers.operations import PROVIDER_OPERATIONS, Operation
from contract_tests.server.checkers.shown import shown
from contract_tests.server.checkers.trace import Exchange, Sandbox, Task, Trace
from contract_tests.server.checkers.violation import Violation

_NEVER_VALID: Final = ("", "bearer", "bearer sk-invalid-for-contract-tests")
_USUAL_ID: Final = re.compile(r"[\w-]+", re.ASCII)
_FEW_TASKS: Final = 100_000  # A mock that keeps fewer may have dropped a task.


def check_identity(trace: Trace) -> Iterator[Violation]:
    """Judge who is let in, and whether each task is found by its own key only."""
    for exchange in trace.judged:
        if exchange.operation not in PROVIDER_OPERATIONS:
            continue
        if exchange.sandbox is None:
            yield from _without_key(exchange)
        else:
            yield from _with_key(trace, exchange)
            if exchange.operation is Operation.STATUS:
                yield from _status(trace, exchange)
            elif exchange.operation is Operation.OTHER_MODEL:
                yield from _other_model(exchange)
    yield from _unique_ids(trace)


def _without_key(exchange: Exchange) -> Iterator[Violation]:
    written = [value for name, value in exchange.request.headers if name.lower() == "authorization"]
    is_never_valid = len(written) <= 1 and "".join(written).strip().lower() in _NEVER_VALID
    if is_never_valid and exchange.status != 401:
        yield _violation("AUTH-2", "missing", "HTTP 401 for a missing or invalid key", exchange)


def _with_key(trace: Trace, exchange: Exchange) -> Iterator[Violation]:
    is_forbidden = exchange.status == 403 and trace.has_control
    if exchange.status == 401 or is_forbidden:
        name, _, scheme = exchange.request.key.partition(" as ")
        clause = "AUTH-3" if scheme else "AUTH-1"
        yield _violation(clause, "valid", f"the valid key ({name}) is accepted", exchange)


def _status(trace: Trace, exchange: Exchange) -> Iterator[Violation]:
    wanted = [value for name, value in exchange.request.query if name == "taskId"]
    if len(wanted) > 1 or exchange.status in {401, 403, 429}:
        return  # These are judged as such.
    if not "".join(wanted):
        if exchange.status < 400 or (trace.has_control and exchange.status != 400):
            yield _violation("STA-1", "missing", "HTTP 400: taskId is required", exchange)
        return
    task = exchange.task
    if task is None:
        # Without keys of its own, the case may know the task from elsewhere.
        if exchange.status != 404 and trace.target.has_own_keys:
            # No page says what an id is answered that no task can have.
            is_odd = not _USUAL_ID.fullmatch("".join(wanted)) and 400 <= exchange.status < 500
            expected = "HTTP 404 for an unknown task"
            yield _violation("STA-2", "unknown", expected, exchange, is_choice=is_odd)
    elif exchange.sandbox is not None and task.sandbox.key != exchange.sandbox.key:
        if exchange.status != 404:
            # Pages say that limits are per key; separate tasks are a choice.
            expected = "HTTP 404 for a task of another key"
            yield _violation("AUTH-4", "task", expected, exchange, is_choice=True)
    elif task.sandbox is exchange.sandbox and exchange.status != 200:
        yield from _not_found(trace, exchange, task)


def _not_found(trace: Trace, exchange: Exchange, task: Task) -> Iterator[Violation]:
    if _may_be_dropped(trace):
        return
    expected = f"HTTP 200 for the task {task.id}"
    yield _violation("STA-3", "found", expected, exchange)
    if task.order.is_callback:
        yield _violation("CB-5", "polled", expected, exchange)


def _may_be_dropped(trace: Trace) -> bool:
    kept = (trace.target.info or {}).get("max_tasks", _FEW_TASKS)
    return not isinstance(kept, int) or kept < _FEW_TASKS


def _other_model(exchange: Exchange) -> Iterator[Violation]:
    if exchange.request.method == "GET" and exchange.task is None:
        if exchange.status == 200:
            expected = "HTTP 404 on the path of another model"
            yield _violation("STA-11", "model", expected, exchange)
    elif exchange.status == 200 and exchange.request.path.endswith("/no-such-model"):
        yield _violation("SUB-18", "model", "HTTP 404 for an unknown model", exchange)


def _unique_ids(trace: Trace) -> Iterator[Violation]:
    known: dict[str, Sandbox] = {}
    for task in trace.tasks:
        sandbox, before = task.sandbox, known.get(task.id)
        known[task.id] = sandbox
        # A mock that was reset starts again from its seed, with the same ids.
        is_reset = before is not None and before is not sandbox and before.key == sandbox.key
        if before is not None and not is_reset and sandbox.is_plain:
            expected = "a task id that no other task has"
            yield _violation("SUB-1", "unique", expected, task.submit)


def _violation(
    clause: str, kind: str, expected: str, exchange: Exchange, *, is_choice: bool = False
) -> Violation:
    return Violation(
        clause=clause,
        kind=kind,
        expected=expected,
        seen=shown(exchange),
        event=exchange.number,
        is_choice=is_choice,
    )
