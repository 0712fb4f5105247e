"""What the sqlite store does besides keeping every promise of a store."""

from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from tests.mock_server.store.bench import HELD, START_MS, lasting
from tests.mock_server.store.sqlite.process import Process
from tests.mock_server.store.sqlite.restarting_store import contents, persisted


def test_stop_leaves_checkpoints_only(process: Process) -> None:
    key = process.open().key()
    task = key.task(HELD)
    process.stop()
    again = process.open()

    assert process.rows("log") == 0
    assert again.key().states().keys() == {task.id}


def test_removed_sandbox_leaves_nothing(process: Process) -> None:
    bench = process.open()
    for name in "abc":
        bench.key(name).task(HELD)
    bench.run(bench.store.remove(bench.key("a").id))
    bench.run(bench.store.drop_all())
    bench.key("d")
    process.turns(1)
    process.stop()
    again = process.open()

    assert again.sandbox_ids() == {again.key("d").id}
    assert process.rows("checkpoint") == 1


def test_sandbox_of_a_key_after_a_removal_is_the_new_one(process: Process) -> None:
    """Removed, created again and used in one turn of the event loop."""
    bench = process.open()
    old = bench.key("a")
    old.task(HELD)

    async def replace() -> None:
        await bench.store.remove(old.id)
        await bench.store.open(old.id, is_broke=True, real_ms=START_MS)
        await persisted(bench.store)

    bench.run(replace())
    key = process.open().key("a")

    assert (key.states(), key.counters().balance_microusd) == ({}, 0)


def test_sandbox_that_is_removed_in_the_turn_of_its_creation_leaves_nothing(
    process: Process,
) -> None:
    bench = process.open()

    async def create_and_remove() -> None:
        await bench.store.open("a sandbox", is_broke=False, real_ms=START_MS)
        await bench.store.remove("a sandbox")
        await persisted(bench.store)

    bench.run(create_and_remove())
    process.open()

    assert process.store._sandboxes == {}
    assert process.rows("checkpoint") == 0


def test_scrapes_write_nothing(process: Process) -> None:
    """Monitoring reads the counters of every sandbox every few seconds."""
    bench = process.open()
    key = bench.key()
    key.task(lasting(10))
    before = process.rows("log")
    for _ in range(5):
        key.counters()
    bench.pass_time(10)
    while_live = process.rows("log")
    key.counters()

    assert (while_live, process.rows("log")) == (before, before + 1)


def test_sandbox_that_is_restored_from_a_snapshot_is_there_after_a_restart(
    process: Process,
) -> None:
    bench = process.open()
    source, other = bench.key("source"), bench.key("other")
    task = source.callback_task(lasting(1000))
    other.execute(Restore, snapshot=source.execute(TakeSnapshot).snapshot())
    before = contents(process.store)
    again = process.open()

    assert contents(process.store) == before
    assert again.key("other").stored(task.id) == task


def test_limit_of_all_tasks_holds_after_a_restart(process: Process) -> None:
    bench = process.open(max_tasks=3)
    for name, duration_ms in (("a", 20), ("b", 10), ("c", 100_000)):
        bench.key(name).task(lasting(duration_ms))
    bench.pass_time(50)
    for name in "abc":
        bench.key(name).counters()
    again = process.open(max_tasks=3)
    again.real_ms = bench.real_ms
    again.key("d").task(HELD)

    assert [len(again.key(name).states()) for name in "abcd"] == [1, 0, 1, 1]


def test_lower_limit_after_a_restart_keeps_live_tasks_and_admits_no_more(process: Process) -> None:
    bench = process.open(max_tasks=10)
    key = bench.key()
    ending = [key.task(lasting(10)) for _ in range(2)]
    held = [key.task(HELD) for _ in range(3)]
    again = process.open(max_tasks=2)
    again.real_ms = bench.real_ms + 10
    key = again.key()

    for _ in range(2):
        answer = key.submit(HELD)
        assert isinstance(answer, Rejection)
        assert answer.reason is RejectionReason.NO_ROOM
    assert key.states().keys() == {task.id for task in held}
    assert not key.states().keys() & {task.id for task in ending}
    for task in held:
        key.finish(task.id)
    assert isinstance(key.submit(HELD), TaskView)
    assert len(key.states()) == 2


def test_time_in_a_sandbox_does_not_go_back_with_the_clock_of_the_machine(
    process: Process,
) -> None:
    bench = process.open()
    key = bench.key()
    bench.pass_time(5000)
    before = key.balance()
    again = process.open()
    again.real_ms = START_MS

    assert again.key().balance().now_ms >= before.now_ms
