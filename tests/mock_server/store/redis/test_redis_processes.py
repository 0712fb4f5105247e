"""When a process ends, other processes get what it had claimed or reserved."""

import asyncio

from mock_server.domain.commands import ClaimDeliveries, ExpectCallback, HoldClock
from mock_server.domain.events import Change
from mock_server.domain.planner import DEFAULT_REQUEST, PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.task import Ending
from mock_server.store.redis.keys import DUE, PROCESSES
from tests.mock_server.store.bench import HELD, HOOK, START_MS, lasting
from tests.mock_server.store.redis.processes import LEASE_MS, Clock, NewProcess, pass_time
from tests.redis_server import RedisServer


def test_callback_of_a_process_that_ended_before_it_was_due_is_found(
    new_process: NewProcess, clock: Clock
) -> None:
    process, other = new_process(), new_process()
    key = process.bench.key()
    key.callback_task(lasting(60_000))
    process.die()

    pass_time(clock, key, 60_000)
    assert other.look() == []
    pass_time(clock, key, 1_000)
    assert other.look() == [key.id]


def test_callback_of_a_task_that_was_ended_by_a_status_request_is_found(
    new_process: NewProcess, clock: Clock
) -> None:
    process, other = new_process(), new_process()
    key = process.bench.key()
    task = key.callback_task(PlanRequest(ending=Ending(polls=1)))
    for _ in range(2):
        key.open()  # Now it is written that nobody must look.
    key.status(task.id)
    process.die()

    pass_time(clock, key, 5_000)
    assert other.look() == [key.id]


def test_entry_that_another_process_removes_while_a_callback_is_scheduled_is_there_again(
    new_process: NewProcess, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process()
    key = process.bench.key()
    task = key.task(lasting(60_000), callback_url=HOOK)
    replica = process.store._replicas.get(key.id)
    assert replica is not None
    batch = [ExpectCallback(real_ms=START_MS, task_id=task.id)]
    early = process.store._due.commands_before(replica, batch)
    late = process.store._due.commands_after(replica, batch)

    assert early == late
    assert early[0][:3] == ("ZADD", DUE, "LT")


def test_callback_whose_attempt_was_in_progress_is_due_again_after_the_lease(
    new_process: NewProcess, clock: Clock
) -> None:
    process, other = new_process(), new_process()
    key = process.bench.key()
    key.callback_task(lasting(0))
    [claimed] = key.execute(ClaimDeliveries, owner=process.store.owner)
    pass_time(clock, key, LEASE_MS + 5_000)

    assert other.look() == []
    process.die()
    pass_time(clock, key, LEASE_MS + 5_000)

    assert other.look() == [key.id]
    there = other.bench.key()
    there._bench.real_ms = clock.real_ms
    [again] = there.execute(ClaimDeliveries, owner=other.store.owner)
    assert again.task.id == claimed.task.id


def test_nothing_is_released_just_after_redis_was_away(
    new_process: NewProcess, clock: Clock
) -> None:
    """The keys of all processes may be gone then; each has to renew its own first."""
    process = new_process()
    key = process.bench.key()
    key.callback_task(lasting(0))
    key.execute(ClaimDeliveries, owner=process.store.owner)
    for _ in range(2):
        key.open()  # Now it is written when somebody must look.
    pass_time(clock, key, LEASE_MS + 5_000)
    process.die()
    other = new_process()

    assert other.look() == []
    assert key.sandbox.claim_owners() == {process.store.owner}
    pass_time(clock, key, LEASE_MS + 5_000)
    assert other.look() == [key.id]


def test_clock_that_a_process_held_when_it_ended_goes_on(
    new_process: NewProcess, clock: Clock
) -> None:
    process, other = new_process(), new_process()
    key = process.bench.key()
    key.execute(HoldClock, owner=process.store.owner)
    process.die()
    pass_time(clock, key, LEASE_MS + 5_000)
    other.look()

    assert other.bench.key().execute(HoldClock, owner=other.store.owner) is not None


def test_nobody_looks_at_a_sandbox_whose_callbacks_are_delivered(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process()
    key = process.bench.key()
    key.callback_task(lasting(0))
    key.deliver(DeliveryResult(status=200))
    key.open()
    key.open()

    assert runner.run(redis_server.send("ZCARD", DUE)) == 0


def test_process_that_stops_releases_its_claims_at_once(
    new_process: NewProcess, clock: Clock
) -> None:
    process, other = new_process(), new_process()
    key = process.bench.key()
    task = key.callback_task(lasting(0))
    key.execute(ClaimDeliveries, owner=process.store.owner)
    process.bench.run(process.store.aclose())

    [again] = other.bench.key().execute(ClaimDeliveries, owner=other.store.owner)
    assert again.task.id == task.id


def test_callback_that_is_not_in_the_set_of_due_instants_is_found_after_the_end_of_its_process(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    """In a cluster, a process may end when one node has its commands and another has not."""
    process, other = new_process(), new_process()
    key = process.bench.key()
    key.callback_task(lasting(LEASE_MS))
    runner.run(redis_server.send("ZREM", DUE, key.id))
    process.die()
    pass_time(clock, key, LEASE_MS + 5_000)

    assert other.look() == []
    other.tidy()
    pass_time(clock, key, 1_000)
    assert other.look() == [key.id]


def test_counters_of_all_processes_add_up(new_process: NewProcess, clock: Clock) -> None:
    process, other = new_process(), new_process()
    for each in (process, other):
        each.bench.key().task(HELD)
        each.bench.run(each.store._housekeeping.exchange())
    assert other.bench.run(other.store.total_metrics()).submitted == 2

    process.die()
    clock.real_ms += LEASE_MS
    other.tidy()

    assert other.bench.run(other.store.total_metrics()).submitted == 2
    assert other.bench.run(other.store._send(("SMEMBERS", PROCESSES))) == [
        [other.store.owner.encode()]
    ]


def test_idle_sandbox_is_loaded_again_when_it_is_used(new_process: NewProcess) -> None:
    process = new_process()
    key = process.bench.key()
    task = key.task(DEFAULT_REQUEST, callback_url=HOOK)
    for _ in range(2):
        process.bench.run(process.store._housekeeping.drop_idle())

    assert process.store._replicas.all() == []
    assert key.states().keys() == {task.id}


def test_followers_hear_soon_what_other_processes_do(
    new_process: NewProcess, runner: asyncio.Runner
) -> None:
    process, other = new_process(), new_process()
    heard: list[object] = []
    key = process.bench.key()
    other.store.follow(key.id, heard.append)
    other.bench.key()
    key.change(rate_limit=3)
    key.reset()
    runner.run(other.store._housekeeping.exchange())
    runner.run(process.store.remove(key.id))
    runner.run(other.store._housekeeping.exchange())

    assert heard == [Change.SETTINGS, Change.DROPPED, Change.REMOVED]


def test_process_does_not_fetch_events_for_passive_followers(
    new_process: NewProcess, runner: asyncio.Runner
) -> None:
    process, other = new_process(), new_process()
    heard: list[object] = []
    key = process.bench.key()
    there = other.bench.key()
    other.store.follow(key.id, heard.append, is_passive=True)
    key.change(rate_limit=3)
    runner.run(other.store._housekeeping.exchange())

    assert heard == []
    there.open()
    assert heard == [Change.SETTINGS]
