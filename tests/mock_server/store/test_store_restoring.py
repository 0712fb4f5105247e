"""A rejected restore releases all places for tasks; an accepted one takes the right number."""

import msgspec
import pytest

from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.errors import NoRoom
from mock_server.domain.snapshot import Snapshot
from tests.mock_server.store.bench import HELD, Bench, NewBench

MAX_TASKS = 4


def of_tasks(bench: Bench, count: int) -> Snapshot:
    """Return a snapshot with so many live tasks."""
    key = bench.key("elsewhere")
    for _ in range(count):
        key.task(HELD)
    return key.execute(TakeSnapshot).snapshot()


def test_rejected_snapshots_take_no_place(new_bench: NewBench) -> None:
    too_large = of_tasks(new_bench(), MAX_TASKS + 1)
    fitting = of_tasks(new_bench(), MAX_TASKS)
    bench = new_bench(max_tasks=MAX_TASKS)
    key = bench.key()

    for _ in range(3):
        with pytest.raises(NoRoom):
            key.execute(Restore, snapshot=too_large)
        key.execute(
            Restore, snapshot=fitting
        )  # If there are several processes, another one does it.
    assert len(key.states()) == MAX_TASKS
    key.reset()
    assert len({key.task(HELD).id for _ in range(MAX_TASKS)}) == MAX_TASKS


def test_submit_that_gets_a_restored_id_takes_no_second_place(new_bench: NewBench) -> None:
    """The snapshot has the id of a later task: its seed and its origin tell which one that is."""
    source = new_bench().key()
    task_ids = [source.task(HELD).id for _ in range(2)]
    taken = source.execute(TakeSnapshot).snapshot()
    [first, _] = taken.tasks
    forged = msgspec.structs.replace(
        taken, ordinal=1, tasks=[msgspec.structs.replace(first, id=task_ids[1])]
    )
    bench = new_bench(max_tasks=MAX_TASKS)
    key = bench.key()
    for _ in range(2 * MAX_TASKS):
        key.execute(Restore, snapshot=forged)
        key.task(HELD)
    bench.run(bench.store.remove(key.id))

    other = bench.key("other")
    assert len({other.task(HELD).id for _ in range(MAX_TASKS)}) == MAX_TASKS
