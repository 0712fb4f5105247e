"""There are never more tasks than `max_tasks`, and no place is lost, whenever a process ends."""

import asyncio
from functools import partial
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from mock_server.store.redis import places as redis_places
from mock_server.store.redis.accounts import TaskCount, account, accounts_in
from mock_server.store.redis.keys import PLACES, SANDBOXES, SandboxKeys
from mock_server.store.redis.replica import Replica
from tests.mock_server.store.bench import HELD
from tests.mock_server.store.redis.changes import ENDED, change_much, ends_after, snapshot_of
from tests.mock_server.store.redis.processes import LEASE_MS, Clock, NewProcess, Process
from tests.properties import examples, is_deep
from tests.redis_server import RedisServer

_MAX_TASKS = 6


def number_of_tasks(process: Process) -> int:
    """Return how many tasks exist."""
    replicas = process.bench.run(process.store._sandboxes.all())
    return sum(replica.sandbox.task_count for replica in replicas)


def sums(process: Process) -> tuple[int, int]:
    """Return the numbers of tasks and of reserved places in Redis."""
    reads = [("HGET", PLACES, field) for field in ("tasks", "reserved")]
    found = process.bench.run(process.store._send(*reads))
    tasks, reserved = map(int, found)
    return tasks, reserved


def fill(process: Process) -> None:
    """Submit tasks until there is no room."""
    for number in count():
        answer = process.bench.key(f"fill {number // 4}").submit(HELD)
        if isinstance(answer, Rejection):
            assert answer.reason is RejectionReason.NO_ROOM
            return


@pytest.mark.parametrize("chunk", [1, 3], ids=["each place alone", "places in advance"])
def test_no_place_is_lost_whenever_a_process_ends(
    new_process: NewProcess,
    clock: Clock,
    redis_server: RedisServer,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
) -> None:
    monkeypatch.setattr(redis_places, "_PART", _MAX_TASKS // chunk)
    snapshot = snapshot_of(new_process(max_tasks=_MAX_TASKS), 2)
    for cut_after in count(0, 1 if is_deep() else 13):
        runner.run(redis_server.flush(0))
        process, other = new_process(max_tasks=_MAX_TASKS), new_process(max_tasks=_MAX_TASKS)
        other.bench.key("other").task(HELD)
        if not ends_after(process, cut_after, partial(change_much, process, snapshot)):
            assert cut_after > 100, "the process was never ended in the middle"
            break
        process.die()
        fill(other)
        assert number_of_tasks(other) <= _MAX_TASKS, cut_after
        clock.real_ms += LEASE_MS
        other.tidy()

        tasks, reserved = sums(other)
        assert tasks == number_of_tasks(other), cut_after
        assert reserved <= chunk, cut_after
        fill(other)
        assert number_of_tasks(other) == _MAX_TASKS, cut_after
        for store in (process.store, other.store):
            runner.run(store.aclose())


@pytest.mark.parametrize("is_executed", [True, False], ids=["executed", "not executed"])
def test_place_of_a_command_with_an_unknown_outcome_is_not_lost(
    new_process: NewProcess, clock: Clock, *, is_executed: bool
) -> None:
    process, other = new_process(max_tasks=_MAX_TASKS), new_process(max_tasks=_MAX_TASKS)
    key = process.bench.key()
    key.task(HELD)
    process.line.fault = "replies are lost" if is_executed else "commands are lost"
    with pytest.raises(StoreUnavailable):
        key.submit(HELD)
    process.bench.run(process.store._connection._probe())
    fill(other)
    assert number_of_tasks(other) <= _MAX_TASKS

    clock.real_ms += LEASE_MS
    for each in (process, other):
        process.bench.run(each.store._processes.renew())
        each.renew_places()
    fill(other)
    assert number_of_tasks(other) == _MAX_TASKS
    assert sums(other) == (_MAX_TASKS, 0)


def test_place_of_a_damaged_sandbox_is_not_lost(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(max_tasks=1)
    key = process.bench.key()
    runner.run(redis_server.send("XADD", SandboxKeys(key.id).log, "*", "foreign", "entry"))
    with pytest.raises(StoreUnavailable):
        key.submit(HELD)
    clock.real_ms += LEASE_MS
    runner.run(process.store._processes.renew())
    process.renew_places()

    process.bench.key("other").task(HELD)


def test_process_that_was_stopped_for_longer_than_its_lease_reserves_again(
    new_process: NewProcess, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_places, "_PART", 2)
    process, other = new_process(max_tasks=_MAX_TASKS), new_process(max_tasks=_MAX_TASKS)
    process.bench.key().task(HELD)  # Now it has two more places.
    process.die()
    clock.real_ms += LEASE_MS
    other.tidy()
    fill(other)

    assert number_of_tasks(other) == _MAX_TASKS
    assert isinstance(process.bench.key().submit(HELD), Rejection)


def test_places_that_are_released_meanwhile_are_reserved_again(new_process: NewProcess) -> None:
    process = new_process(max_tasks=_MAX_TASKS)
    places = process.store._places

    async def take_after_release() -> int:
        given_back = await places.take_up_to(2)
        writing = asyncio.create_task(places.settle())
        await asyncio.sleep(0)  # Now it is being written, and others wait for that.
        places.give_back(given_back)
        _, taken, _ = await asyncio.gather(places.settle(), places.take_up_to(3), writing)
        return taken

    assert process.bench.run(take_after_release()) == 3


def replica_that_was_removed_elsewhere(process: Process, other: Process) -> Replica:
    """Return the replica of a sandbox with one task, which another process has removed."""
    key = process.bench.key()
    key.task(HELD)
    replica = process.store._replicas.get(key.id)
    assert replica is not None
    other.bench.run(other.store.remove(key.id))
    return replica


def test_account_that_is_written_after_its_sandbox_was_removed_is_removed_later(
    new_process: NewProcess,
) -> None:
    process, other = new_process(max_tasks=_MAX_TASKS), new_process(max_tasks=_MAX_TASKS)
    replica = replica_that_was_removed_elsewhere(process, other)
    process.store._places.note_count(replica)
    process.renew_places()
    assert sums(other)[0] == 1

    other.bench.run(other.store._recount.run_in_turn())

    assert sums(other)[0] == 0


def test_account_that_is_written_after_its_sandbox_was_created_anew_is_replaced(
    new_process: NewProcess,
) -> None:
    process, other = new_process(max_tasks=_MAX_TASKS), new_process(max_tasks=_MAX_TASKS)
    replica = replica_that_was_removed_elsewhere(process, other)
    other.bench.key().open()
    process.store._places.note_count(replica)
    process.renew_places()
    other.renew_places()

    assert sums(other)[0] == 0


def test_tasks_in_two_sandboxes_are_dropped_in_order(new_process: NewProcess) -> None:
    process = new_process(max_tasks=4)
    origin, copy = process.bench.key("origin"), process.bench.key("copy")
    for _ in range(2):
        origin.task(ENDED)
    copy.execute(Restore, snapshot=origin.execute(TakeSnapshot).snapshot())

    assert not isinstance(copy.submit(HELD), Rejection)
    assert number_of_tasks(process) == 4


def test_places_of_a_sandbox_whose_removal_was_interrupted_are_free(
    new_process: NewProcess, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(max_tasks=1)
    key = process.bench.key()
    key.task(HELD)
    runner.run(redis_server.send("DEL", *SandboxKeys(key.id).all))
    runner.run(process.store._recount.run_in_turn())

    assert sums(process)[0] == 0
    assert runner.run(redis_server.send("ZSCORE", SANDBOXES, key.id)) is not None


def test_recount_is_not_repeated_by_each_process(new_process: NewProcess) -> None:
    process, other = new_process(), new_process()
    process.bench.run(process.store._recount.run_in_turn())
    sent = other.line.sent
    other.bench.run(other.store._recount.run_in_turn())

    assert other.line.sent == sent + 1


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
def test_places_that_a_process_had_reserved_are_free_after_its_end(
    new_process: NewProcess, clock: Clock, *, is_killed: bool
) -> None:
    limits = {"max_tasks": 5_000}  # Five are reserved at once.
    process, other = new_process(**limits), new_process(**limits)
    process.bench.key("one").task(HELD)
    if is_killed:
        process.die()
        clock.real_ms += LEASE_MS
        other.tidy()
    else:
        process.bench.run(process.store.aclose())

    other.bench.key("one").task(HELD)
    other.bench.run(other.store.aclose())
    assert sums(new_process(**limits)) == (2, 0)


def test_limit_of_tasks_holds_for_all_processes_together(new_process: NewProcess) -> None:
    processes = [new_process(max_tasks=7, seed=7) for _ in range(3)]
    answers = [processes[turn % 3].bench.key(f"key {turn % 2}").submit(HELD) for turn in range(12)]

    assert sum(isinstance(answer, TaskView) for answer in answers) == 7
    assert {answer.reason for answer in answers if isinstance(answer, Rejection)} == {
        RejectionReason.NO_ROOM
    }


def test_place_that_another_process_needs_for_a_moment_is_not_missing(
    new_process: NewProcess,
) -> None:
    process, other = new_process(max_tasks=1), new_process(max_tasks=1)
    places = process.store._places
    process.bench.run(places.take_up_to(1))

    async def give_back() -> None:
        places.give_back(1)
        await places.write()

    key = other.bench.key()
    other.line.then = give_back
    key.task(HELD)


@examples(40)
@given(st.permutations(range(1, 6)))
def test_latest_number_of_tasks_counts_in_whatever_order_numbers_are_written(
    redis_server: RedisServer, runner: asyncio.Runner, order: list[int]
) -> None:
    runner.run(redis_server.flush(0))
    for number in order:
        counts = {"a": TaskCount(f"9-{number}".encode(), number), "b": TaskCount(b"10-0", number)}
        sent = account("1", 0, 0, counts, limit=20, settled_ms=number, ttl_ms=60_000)
        runner.run(redis_server.send(*sent))
    found = runner.run(redis_server.send("HGETALL", PLACES))
    _, sandboxes = accounts_in([each for pair in found.items() for each in pair])

    assert dict(sandboxes) == {"a": b"9-5 5", "b": f"10-0 {order[0]}".encode()}
    assert runner.run(redis_server.send("HGET", PLACES, "tasks")) == b"%d" % (5 + order[0])


def test_places_of_an_expired_sandbox_are_free(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(max_tasks=1, ttl_ms=60_000)
    key = process.bench.key("expired")
    key.task(HELD)
    runner.run(redis_server.send("DEL", *SandboxKeys(key.id).all))  # As if its time had passed.
    clock.real_ms += 60_001
    process.tidy()

    assert process.bench.sandbox_ids() == set()
    process.bench.key("other").task(HELD)
