"""LIM-2: servers that count the tasks under way wrongly."""

from typing import Any

from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told
from tests.contract_tests.mutants.steering import let_through, now_ms, refusal, steer, too_many


def _one_too_many() -> Break:
    refused: set[bytes] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        key = asked.header(b"authorization")
        if asked.is_submit and told.status == 429 and key not in refused:
            refused.add(key)
            return await let_through(asked, serve, "max_concurrent")
        return told

    return broken


async def _place_back_at_once(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    is_full = asked.is_submit and told.status == 429
    return await let_through(asked, serve, "max_concurrent") if is_full else told


async def _place_back_when_processing(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    if asked.is_submit and told.status == 429:
        tasks = await _tasks(asked, serve)
        pending = sum(task["state"] == "pending" for task in tasks)
        if pending < await _limit(asked, serve):
            return await let_through(asked, serve, "max_concurrent")
    return told


async def _failed_keep_their_place(asked: Asked, serve: Serve) -> Told:
    if asked.is_submit:
        tasks = await _tasks(asked, serve)
        if sum(task["state"] != "success" for task in tasks) >= await _limit(asked, serve):
            return too_many()
    return await serve(asked)


async def _place_back_too_late(asked: Asked, serve: Serve) -> Told:
    if asked.is_submit:
        earliest = await now_ms(asked, serve) - 5_000
        tasks = await _tasks(asked, serve)
        taken = sum(task.get("complete_time_ms", earliest + 1) > earliest for task in tasks)
        if taken >= await _limit(asked, serve):
            return too_many()
    return await serve(asked)


async def _no_status_at_the_limit(asked: Asked, serve: Serve) -> Told:
    if asked.is_status:
        sandbox = await steer(asked, serve, "GET", "sandbox")
        if sandbox["counters"]["live_tasks"] >= sandbox["settings"]["max_concurrent"]:
            return too_many()
    return await serve(asked)


async def _unavailable(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    if asked.is_submit and told.status == 429:
        return refusal(503, "Service unavailable", "too many tasks")
    return told


def _refused_take_a_place() -> Break:
    refused: dict[bytes, int] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        key = asked.header(b"authorization")
        if asked.is_submit and refused.get(key, 0):
            refused[key] -= 1
            return too_many()
        told = await serve(asked)
        if asked.is_submit and told.status == 400:
            refused[key] = refused.get(key, 0) + 1
        return told

    return broken


async def _tasks(asked: Asked, serve: Serve) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = (await steer(asked, serve, "GET", "tasks"))["tasks"]
    return tasks


async def _limit(asked: Asked, serve: Serve) -> int:
    limit: int = (await steer(asked, serve, "GET", "sandbox"))["settings"]["max_concurrent"]
    return limit


MUTANTS = (
    Mutant(name="the-1001st-task-is-accepted", clause="LIM-2", make=_one_too_many),
    Mutant(name="a-place-comes-back-at-once", clause="LIM-2", make=lambda: _place_back_at_once),
    Mutant(
        name="a-place-comes-back-when-the-task-is-processing",
        clause="LIM-2",
        make=lambda: _place_back_when_processing,
    ),
    Mutant(
        name="a-failed-task-keeps-its-place",
        clause="LIM-2",
        make=lambda: _failed_keep_their_place,
    ),
    Mutant(name="a-place-comes-back-5-s-late", clause="LIM-2", make=lambda: _place_back_too_late),
    Mutant(
        name="no-status-at-the-limit-of-tasks",
        clause="LIM-2",
        make=lambda: _no_status_at_the_limit,
    ),
    Mutant(name="503-at-the-limit-of-tasks", clause="LIM-2", make=lambda: _unavailable),
    Mutant(name="a-refused-submit-takes-a-place", clause="LIM-2", make=_refused_take_a_place),
)
