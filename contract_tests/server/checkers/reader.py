"""Makes a trace from events."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from contract_tests.server.checkers.json_values import decoded, members_of
from contract_tests.server.checkers.operations import (
    CONTROL_PATH,
    PROVIDER_OPERATIONS,
    Operation,
    operation_of,
)
from contract_tests.server.checkers.result_json import result_urls
from contract_tests.server.checkers.trace import (
    Callback,
    Control,
    Exchange,
    Flood,
    Moment,
    Sandbox,
    Task,
    Trace,
)
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Event,
    HttpExchange,
    Request,
    Response,
)
from contract_tests.server.target import Target
from contract_tests.server.world import RECEIVER

_KEYS: Final = frozenset({"own", "other"})
_FINISH: Final = re.compile(r"^tasks/(?P<task>[^/]+)/finish$")
_HARMLESS: Final = frozenset({"journal/count"})
_PLAIN_PROFILES: Final = frozenset({None, "calm"})


def read_trace(events: Iterable[Event], target: Target) -> Trace:
    """Return the trace of these events; it never raises, whatever a server answered."""
    reader = _Reader(target)
    for number, event in enumerate(events):
        reader.read(number, event)
    return reader.finished()


class _Reader:
    def __init__(self, target: Target) -> None:
        self._trace = Trace(target)
        self._open: dict[str, Sandbox] = {}
        self._is_manual: dict[str, bool] = {}
        self._now_ms: dict[str, int | None] = {}
        # A mock gives the same ids again after a reset: of tasks with equal ids, the newest counts.
        self._tasks: dict[str, Task] = {}
        self._results: dict[str, tuple[Task, int]] = {}
        self._callbacks: dict[str, list[Callback]] = {}

    def read(self, number: int, event: Event) -> None:
        if isinstance(event, HttpExchange):
            operation = operation_of(event.request)
            if operation is Operation.CONTROL:
                self._control(number, event)
            else:
                self._exchange(number, event, operation)
        elif isinstance(event, Burst):
            self._flood(number, event)
        elif isinstance(event, Deliveries):
            self._deliveries(number, event)

    def finished(self) -> Trace:
        trace = self._trace
        # The kit's receiver also gets the requests for reference images.
        references = {
            url.removeprefix(f"{RECEIVER}/")
            for each in trace.exchanges
            if self._callbacks and each.operation is Operation.SUBMIT
            for url in each.order.references
        }
        trace.callbacks = [
            each
            for name, came in self._callbacks.items()
            if name not in references
            for each in came
        ]
        by_id: dict[str, list[Task]] = {}
        for task in trace.tasks:
            by_id.setdefault(task.id, []).append(task)
        for callback in trace.callbacks:
            callback.task = _task_of(callback, by_id)
            if callback.task is not None:
                callback.task.callbacks.append(callback)
        return trace

    # Exchanges

    def _exchange(self, number: int, event: HttpExchange, operation: Operation) -> None:
        result = self._results.get(_url(event.request))
        if event.request.method == "GET" and result is not None:
            operation = Operation.DOWNLOAD
            sandbox: Sandbox | None = result[0].sandbox
        else:
            sandbox = self._sandbox(event.request.key)
        exchange = Exchange(
            event,
            operation,
            number,
            sandbox,
            self._moment(sandbox, event.response),
            sandbox.settings if sandbox else self._trace.target.settings or {},
        )
        self._trace.exchanges.append(exchange)
        if operation is Operation.DOWNLOAD and result is not None:
            exchange.task, exchange.position = result
        elif sandbox is not None:
            sandbox.steps.append(exchange)
            self._follow(exchange, sandbox)

    def _follow(self, exchange: Exchange, sandbox: Sandbox) -> None:
        """Connect the exchange with the task that it is about."""
        if exchange.operation is Operation.SUBMIT and exchange.status == 200:
            task_id = exchange.members.get("taskId")
            if isinstance(task_id, str) and task_id:
                task = Task(task_id, exchange, sandbox)
                self._trace.tasks.append(task)
                self._tasks[task_id] = exchange.task = sandbox.tasks[task_id] = task
        elif exchange.operation is Operation.STATUS:
            wanted = dict(exchange.request.query).get("taskId", "")
            exchange.task = task_seen = self._tasks.get(wanted)
            if task_seen is None or task_seen.sandbox is not sandbox:
                return
            if exchange.status == 200 and exchange.members:
                task_seen.sightings.append(exchange)
                for index, url in enumerate(result_urls(exchange.members)):
                    self._results[url] = (task_seen, index)

    def _flood(self, number: int, event: Burst) -> None:
        operation, sandbox = operation_of(event.request), self._sandbox(event.request.key)
        if sandbox is not None and operation in PROVIDER_OPERATIONS:
            at = self._moment(sandbox, event.last)
            step = Flood(event, operation, number, sandbox, at, sandbox.settings)
            sandbox.steps.append(step)

    def _deliveries(self, number: int, event: Deliveries) -> None:
        self._trace.looks[event.name] = number
        known = self._callbacks.setdefault(event.name, [])
        known += (Callback(each, event.name, number) for each in event.deliveries[len(known) :])

    # Time and control

    def _sandbox(self, key: str) -> Sandbox | None:
        """Return the sandbox of a request, or None if it has no valid key."""
        name = key.partition(" as ")[0]
        if name not in _KEYS:
            return None
        if name not in self._open:
            self._begin(name, starts_empty=False)
        return self._open[name]

    def _begin(self, key: str, *, starts_empty: bool) -> None:
        settings = self._trace.target.settings or {}
        sandbox = Sandbox(key, settings, starts_empty=starts_empty)
        sandbox.is_plain = settings.get("profile") in _PLAIN_PROFILES and not (
            (self._trace.target.info or {}).get("rules")
        )
        self._open[key] = sandbox
        self._is_manual[key], self._now_ms[key] = False, None
        self._trace.sandboxes.append(sandbox)

    def _moment(self, sandbox: Sandbox | None, response: Response) -> Moment | None:
        if self._trace.target.has_control:
            if sandbox is None or self._open[sandbox.key] is not sandbox:
                return None
            now_ms = self._now_ms[sandbox.key]
            return None if now_ms is None else Moment(now_ms, now_ms)
        if not response.sent_ms:
            return None
        return Moment(response.sent_ms, response.answered_ms)

    def _control(self, number: int, event: HttpExchange) -> None:
        sandbox = self._sandbox(event.request.key)
        if sandbox is None or not 200 <= event.response.status < 300:
            return  # A rejected call changes nothing.
        method, action = event.request.method, event.request.path.removeprefix(CONTROL_PATH)
        if (method, action) == ("DELETE", "sandbox"):
            self._begin(sandbox.key, starts_empty=True)
            return
        started_at = self._moment(sandbox, event.response)
        answer = members_of(decoded(event.response.body))
        if action in {"clock", "clock/advance"}:
            self._set_clock(sandbox, action, answer)
        if method == "GET" or action in _HARMLESS:
            return
        settings = answer.get("settings")
        if action == "sandbox" and isinstance(settings, dict):
            sandbox.settings = settings
        step = Control(
            event,
            action,
            number,
            sandbox,
            self._moment(sandbox, event.response),
            sandbox.settings,
            started_at,
        )
        sandbox.steps.append(step)
        self._apply(step, sandbox)

    def _set_clock(self, sandbox: Sandbox, action: str, answer: Mapping[str, Any]) -> None:
        if action == "clock":
            self._is_manual[sandbox.key] = answer.get("mode") == "manual"
        now_ms, is_still = answer.get("now_ms"), self._is_manual[sandbox.key]
        self._now_ms[sandbox.key] = now_ms if type(now_ms) is int and is_still else None

    def _apply(self, step: Control, sandbox: Sandbox) -> None:
        method, action = step.request.method, step.action
        if finish := _FINISH.match(action):
            task = sandbox.tasks.get(unquote(finish["task"]))
            if task is not None:
                task.forced = step
        elif action in {"rules", "next"}:
            if _decides_outcomes_only(step):
                sandbox.has_outcomes = True
            elif method != "DELETE":
                sandbox.is_plain = False
        elif action == "sandbox" and method == "PATCH":
            if sandbox.settings.get("profile") not in _PLAIN_PROFILES:
                sandbox.is_plain = False
        elif action not in {"clock", "clock/advance"}:
            sandbox.is_plain = False  # The effect of other calls is unknown here.


def _task_of(callback: Callback, by_id: Mapping[str, list[Task]]) -> Task | None:
    """Return the task that a callback names, or None if there is none."""
    task_id = callback.members.get("taskId")
    same_id = by_id.get(task_id, []) if isinstance(task_id, str) else []
    same_name = [task for task in same_id if task.order.callback_name == callback.name]
    earlier = [
        task
        for task in same_name or same_id
        if task.submit.response.sent_ms <= callback.delivery.at_ms
    ]
    best = earlier or same_name or same_id
    return best[-1] if best else None


def _url(request: Request) -> str:
    """Return the URL of a download; it is requested as it was told, with its query in the path."""
    return "" if request.query else request.path


def _decides_outcomes_only(step: Control) -> bool:
    """Return whether the rules of a control call decide only how tasks end."""
    body = members_of(decoded(step.request.body))
    rules = body.get("rules", [body])
    applied = [members_of(rule).get("apply") for rule in rules] if isinstance(rules, list) else []
    return bool(applied) and all(members_of(each).keys() == {"outcome"} for each in applied)
