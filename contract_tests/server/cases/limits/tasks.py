"""LIM-2 with a limit that control makes small, so that its edges can be seen."""

from contract_tests.contract.provider import GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.reading import has_ended, task_id_of
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet
from contract_tests.server.probe import Probe

_FAILING = ["https://images.invalid/fox.png"]
_ROOM = {"rate_limit": 10_000, "generation_time": 30}  # so that nothing else comes first
_LONGEST_S = 300


def _as_tasks_end(probe: Probe) -> None:
    """Walk through the life of two tasks, one of which fails, and try for places all the way."""
    probe.change(max_concurrent=2, **_ROOM)
    first = {probe.task(), probe.task(image_urls=_FAILING)}
    live = set(first)
    for _ in range(_LONGEST_S):
        answers = {task_id: probe.ask(task_id) for task_id in sorted(live)}
        for answer in answers.values():
            if not _check(probe, answer, 200, "status requests work at the limit"):
                return
        live -= {task_id for task_id, answer in answers.items() if has_ended(answer)}
        while len(live) < 2:
            tried = probe.submit()
            why = f"{len(live)} of 2 places are taken, the others by tasks that have ended"
            task_id = task_id_of(tried)
            if not _check(probe, tried, 200, why) or task_id is None or task_id in live:
                return
            live.add(task_id)
        if not _check(probe, probe.submit(), 429, "both places are taken by tasks under way"):
            return
        if not first & live:
            return
        probe.pass_time(1)
    raise PreconditionNotMet(f"the tasks have not ended in {_LONGEST_S} s")


def _ended_by_control(probe: Probe) -> None:
    """End tasks at once, one way and the other; refused submits take no place."""
    probe.change(max_concurrent=1, **_ROOM)
    task_id: str | None = probe.task()
    for end in (
        {"state": "success"},
        {"state": "failed", "failCode": "GENERATION_FAILED"},
        {"state": "failed", "failCode": "CONTENT_VIOLATION"},
    ):
        if task_id is None:
            return
        _check(probe, probe.submit(), 429, "the only place is taken")
        _check(probe, probe.ask(task_id), 200, "status requests work at the limit")
        probe.control_task("POST", task_id, "/finish", end)
        probe.send("POST", GENERATE, body={"input": {}})
        accepted = probe.submit()
        _check(probe, accepted, 200, f"a task that ends as {end['state']} gives its place back")
        task_id = task_id_of(accepted)


def _keys_apart(probe: Probe) -> None:
    if not probe.target.has_other_key:
        raise CaseSkipped("the server takes one key only")
    probe.change(max_concurrent=1, **_ROOM)
    probe.task()
    refused, other = probe.submit(), probe.submit(key="other")
    _check(probe, refused, 429, "the only place of this key is taken")
    for clause in ("LIM-2", "LIM-3"):
        why = "another key has places of its own: HTTP 200"
        probe.check(clause, other.status == 200, expected=why, seen=other)


def _check(probe: Probe, answer: Answer, status: int, why: str) -> bool:
    return probe.check(
        "LIM-2", answer.status == status, expected=f"{why}: HTTP {status}", seen=answer
    )


CASES = (
    Case(
        id="S-LIM-011",
        title="a place comes back when a task ends, well or badly, and not before",
        clauses=("LIM-2",),
        sends="two tasks with room for two, and every second their status and one more submit",
        expects="HTTP 429 while both are under way, 200 as soon as one has ended",
        run=_as_tasks_end,
        images=4,
        worst_images=12,
        time=Time.ONE_GENERATION,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-012",
        title="a task that ends early gives its place back at once",
        clauses=("LIM-2",),
        sends="tasks that control ends as success and as failed, and a submit after each",
        expects="HTTP 429 before, 200 after",
        run=_ended_by_control,
        images=2,
        worst_images=8,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-013",
        title="every key has places of its own",
        clauses=("LIM-2", "LIM-3"),
        sends="submits of one key over its limit, and one of another key",
        expects="the other key's passes",
        run=_keys_apart,
        images=2,
        worst_images=3,
        needs_control=True,
        provokes=(429,),
    ),
)
