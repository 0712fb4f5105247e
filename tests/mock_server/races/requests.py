"""The requests of the steps of a script."""

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any
from urllib.parse import quote

from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT
from tests.mock_server.races.connection import Request, request
from tests.mock_server.races.receiver import CountingReceiver
from tests.mock_server.races.script import WAITS, Kind, Step

_AT_ONCE = "[[mock pending=0 processing=0]]"
_PROMPTS = ("", "", "[[mock hold]]", "[[mock polls=2]]", "[[mock fail=NSFW]]", "slow", _AT_ONCE)
_RULES: tuple[dict[str, Any], ...] = (
    {"match": {"prompt": "slow"}, "apply": {"latency": "15ms"}},
    {"match": {"operation": "status", "nth": "every 3"}, "apply": {"refuse": {"status": 503}}},
    {"match": {"operation": "callback", "nth": "every 2"}, "apply": {"callback": {"delay": "7s"}}},
    {"match": {"operation": "callback", "times": 2}, "apply": {"callback": "reorder"}},
    {"match": {"operation": "callback", "prompt": "slow"}, "apply": {"callback": "before-answer"}},
)
_PAUSES_MS = (0, 0, 20, 60)  # Before the receiver responds to a callback.
_NEXT = {"match": {"operation": "submit"}, "apply": {"latency": "10ms"}}
_WAIT_S = 0.2
_LONG_WAIT_S = 300  # Of a client that closes its connection meanwhile.

Call = tuple[str, str, object]
"""Method, path and body."""


def submit(step: Step, key: str, dice: Random, receiver: CountingReceiver) -> Request:
    """Return a submit whose prompt names the step, in most cases of a callback task."""
    body: dict[str, object] = {"input": {"prompt": f"race {step.number} {dice.choice(_PROMPTS)}"}}
    if dice.randrange(3):
        url = receiver.url(step.number, dice.choice([0, 0, 1, 2]), dice.choice(_PAUSES_MS))
        body |= {"request_type": "callback", "callback_url": url}
    return request("POST", SUBMIT, key, json.dumps(body).encode(), X_Step=step.number)


def about_task(step: Step, key: str, dice: Random, tasks: Sequence[str]) -> Request:
    """Return any other request; if it needs a task, about one of these or an unknown one."""
    task_id = quote(dice.choice(tasks)) if tasks else "task_unknown"
    method, path, body = _CALLS[step.kind](dice, task_id)
    if step.kind in WAITS:
        path += f"timeout={_WAIT_S if step.cut is None else _LONG_WAIT_S}"
    raw = None if body is None else json.dumps(body).encode()
    if path.startswith("/"):
        return request(method, path, key, raw, X_Step=step.number)
    return request(method, f"/_mock/{path}", key, raw)


def _finish(dice: Random, task_id: str) -> Call:
    return "POST", f"tasks/{task_id}/finish", {"state": dice.choice(["success", "failed"])}


def _advance(dice: Random, _: str) -> Call:
    return "POST", "clock/advance", {"seconds": dice.choice([0.001, 5, 40])}


def _clock(dice: Random, _: str) -> Call:
    return "PUT", "clock", {"mode": dice.choice(["real", "manual"]), "speed": 50}


def _wait_for_task(_: Random, task_id: str) -> Call:
    return "GET", f"tasks/{task_id}/wait?", None


def _wait_for_entries(dice: Random, _: str) -> Call:
    return "GET", f"journal/wait?count={dice.randrange(1, 200)}&", None


def _always(method: str, path: str) -> Callable[[Random, str], Call]:
    return lambda _, __: (method, path, None)


_CALLS: Mapping[Kind, Callable[[Random, str], Call]] = {
    Kind.STATUS: lambda _, task_id: ("GET", f"{STATUS}?taskId={task_id}", None),
    Kind.BALANCE: _always("GET", BALANCE),
    Kind.FINISH: _finish,
    Kind.ADVANCE: _advance,
    Kind.CLOCK: _clock,
    Kind.WAIT_FOR_TASK: _wait_for_task,
    Kind.WAIT_FOR_ENTRIES: _wait_for_entries,
    Kind.EVENTS: _always("GET", "events"),
    Kind.RULE: lambda dice, _: ("POST", "rules", dice.choice(_RULES)),
    Kind.NEXT: lambda _, __: ("POST", "next", _NEXT),
    Kind.CLEAR_RULES: _always("DELETE", "rules"),
    Kind.SETTINGS: lambda dice, _: ("PATCH", "sandbox", {"retry_after": dice.random() < 0.5}),
    Kind.COUNTERS: _always("GET", "sandbox"),
    Kind.EXPORT: _always("GET", "sandbox/snapshot"),
    Kind.RESET: _always("DELETE", "sandbox"),
    Kind.REMOVE: _always("DELETE", "sandbox?remove=true"),
}
