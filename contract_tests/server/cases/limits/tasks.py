"""LIM-2 with a small configured limit, so that its edges can be tested."""

from contract_tests.contract.provider import GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import has_ended, task_id_of

_FAILING = ["https://images.invalid/fox.png"]
_ROOM = {"rate_limit": 10_000, "generation_time": 30}  # No other limit may be reached first.
_LONGEST_S = 300


def _as_tasks_end(probe: Probe) -> None:
    """Poll two tasks, one of which fails, and try to submit another one every second."""
    probe.change_settings(max_concurrent=2, **_ROOM)
    first = {probe.submit_task(), probe.submit_task(image_urls=_FAILING)}
    live = set(first)
    for _ in range(_LONGEST_S):
        answers = {task_id: probe.read_status(task_id) for task_id in sorted(live)}
        for answer in answers.values():
            if not _check(probe, answer, 200, "status requests work at the limit"):
                return
        live -= {task_id for task_id, answer in answers.items() if has_ended(answer)}
        while len(live) < 2:
            tried = probe.submit()
            why = f"{len(live)} of 2 tasks are in progress, the others have ended"
            task_id = task_id_of(tried)
            if not _check(probe, tried, 200, why) or task_id is None or task_id in live:
                return
            live.add(task_id)
        if not _check(probe, probe.submit(), 429, "two tasks are in progress, the limit"):
            return
        if not first & live:
            return
        probe.pass_time(1)
    raise PreconditionNotMet(f"the tasks were not final in {_LONGEST_S} s")


def _ended_by_control(probe: Probe) -> None:
    """End tasks at once, as success and as failure; rejected submits do not count."""
    probe.change_settings(max_concurrent=1, **_ROOM)
    task_id: str | None = probe.submit_task()
    for end in (
        {"state": "success"},
        {"state": "failed", "failCode": "GENERATION_FAILED"},
        {"state": "failed", "failCode": "CONTENT_VIOLATION"},
    ):
        if task_id is None:
            return
        _check(probe, probe.submit(), 429, "one task is in progress, the limit")
        _check(probe, probe.read_status(task_id), 200, "status requests work at the limit")
        probe.control_task("POST", task_id, "/finish", end)
        probe.send("POST", GENERATE, body={"input": {}})
        accepted = probe.submit()
        _check(probe, accepted, 200, f"a task that has ended as {end['state']} does not count")
        task_id = task_id_of(accepted)


def _keys_apart(probe: Probe) -> None:
    probe.require_second_key()
    probe.change_settings(max_concurrent=1, **_ROOM)
    probe.submit_task()
    rejected, other = probe.submit(), probe.submit(key="other")
    _check(probe, rejected, 429, "one task of this key is in progress, the limit")
    for clause in ("LIM-2", "LIM-3"):
        why = "another key has its own limit: HTTP 200"
        probe.check(clause, other.status == 200, expected=why, seen=other)


def _check(probe: Probe, answer: Answer, status: int, why: str) -> bool:
    return probe.check(
        "LIM-2", answer.status == status, expected=f"{why}: HTTP {status}", seen=answer
    )


CASES = (
    Case(
        id="S-LIM-011",
        title="a task counts until it has succeeded or failed",
        clauses=("LIM-2",),
        sends="two tasks with a limit of two, and every second their status and one more submit",
        expects="HTTP 429 while both are in progress, 200 as soon as one has ended",
        run=_as_tasks_end,
        images=4,
        worst_images=12,
        time=Time.ONE_GENERATION,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-012",
        title="a task that is ended early stops counting at once",
        clauses=("LIM-2",),
        sends="tasks that the control plane ends as success and as failed, and a submit after each",
        expects="HTTP 429 before, 200 after",
        run=_ended_by_control,
        images=2,
        worst_images=8,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-013",
        title="each key has its own limit of tasks",
        clauses=("LIM-2", "LIM-3"),
        sends="submits of one key over its limit, and one of another key",
        expects="the submit with the other key is accepted",
        run=_keys_apart,
        images=2,
        worst_images=3,
        needs_control=True,
        provokes=(429,),
    ),
)
