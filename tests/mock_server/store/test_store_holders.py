"""The sandboxes that contain a task are found, however often its snapshot was restored."""

from collections.abc import AsyncIterator

import msgspec

from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.store import SandboxReader
from tests.mock_server.store.bench import HELD, Bench, NewBench


def holders(bench: Bench, task_id: str) -> list[str]:
    async def ids(found: AsyncIterator[SandboxReader]) -> list[str]:
        return [sandbox.id async for sandbox in found]

    return bench.run(ids(bench.store.holders(task_id)))


def test_own_sandbox_comes_first_and_restored_ones_follow(new_bench: NewBench) -> None:
    bench = new_bench()
    own, restored = bench.key("own"), bench.key("restored")
    task = own.task(HELD)
    assert holders(bench, task.id) == [own.id]

    restored.execute(Restore, snapshot=own.execute(TakeSnapshot).snapshot())
    assert holders(bench, task.id) == [own.id, restored.id]

    own.reset()
    assert holders(bench, task.id) == [restored.id]


def test_sandbox_without_the_task_is_no_holder(new_bench: NewBench) -> None:
    bench = new_bench()
    own, restored = bench.key("own"), bench.key("restored")
    task = own.task(HELD)
    taken = own.execute(TakeSnapshot).snapshot()
    restored.execute(Restore, snapshot=taken)

    restored.execute(Restore, snapshot=msgspec.structs.replace(taken, tasks=[]))
    assert holders(bench, task.id) == [own.id]

    restored.execute(Restore, snapshot=taken)
    restored.reset()
    assert holders(bench, task.id) == [own.id]

    restored.execute(Restore, snapshot=taken)
    bench.run(bench.store.remove(restored.id))
    assert holders(bench, task.id) == [own.id]


def test_unknown_task_has_no_holder(new_bench: NewBench) -> None:
    bench = new_bench()
    task_id = bench.key("elsewhere").task(HELD).id

    assert holders(new_bench(), task_id) == []
    assert holders(bench, task_id.replace("task_", "task_0")) == []
