"""What a process does in a test: it adds tasks and drops them, in all ways that there are."""

import asyncio
from collections.abc import Callable, Sequence

from mock_server.domain.commands import Reset, Restore, Submit, TakeSnapshot
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.planner import PlanRequest
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.submission import Submission
from tests.mock_server.store.bench import HELD, MODEL, START_MS, Key, lasting
from tests.mock_server.store.redis.processes import Process

ENDED = lasting(0)


def snapshot_of(process: Process, tasks: int) -> Snapshot:
    key = process.bench.key("snapshot")
    for _ in range(tasks):
        key.task(lasting(0))
    found = key.execute(TakeSnapshot).snapshot()
    process.bench.run(process.store.remove(key.id))
    return found


def submit_at_once(
    processes: Sequence[Process], key: Key, number: int, plan_request: PlanRequest = ENDED
) -> list[object]:
    """Submit a number of tasks in each process at the same time."""
    submit = Submit(
        real_ms=START_MS,
        model_id=MODEL.id,
        submission=Submission(prompt="a fox", ratio="1:1", num_images=1, callback_url=None),
        plan_request=plan_request,
        base_url="http://mock",
    )

    async def submit_all() -> list[object]:
        submits = [each.store.execute(key.id, submit) for each in processes for _ in range(number)]
        return await asyncio.gather(*submits)

    return processes[0].bench.run(submit_all())


def change_much(process: Process, snapshot: Snapshot) -> None:
    """Add tasks and drop them, in all ways that there are."""
    one, two, three = map(process.bench.key, ("one", "two", "three"))
    one.task(HELD)
    submit_at_once([process], one, 2)
    submit_at_once([process], two, 5)  # Some of them need room.
    two.submit(HELD)
    one.execute(Reset)
    three.execute(Restore, snapshot=snapshot)
    process.bench.run(process.store.remove(two.id))
    submit_at_once([process], three, 3)


def ends_after(process: Process, commands: int, work: Callable[[], None]) -> bool:
    """Let a process work, and end it after it has sent a number of commands.

    Return whether it was ended; otherwise, the work needs fewer commands.
    """
    process.line.sent, process.line.cut_after = 0, commands
    try:
        work()
    except StoreUnavailable:
        return True
    return False
