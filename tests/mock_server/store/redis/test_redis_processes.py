"""When a process ends, other processes get what it had claimed or reserved."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mock_server.domain.commands import ClaimDeliveries, ExpectCallback, HoldClock
from mock_server.domain.events import Change
from mock_server.domain.planner import DEFAULT_REQUEST, PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from mock_server.domain.task import Ending
from mock_server.store.redis.keys import DUE, PLACES, PROCESSES, TASKS, SandboxKeys, process_key
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import HELD, HOOK, START_MS, Bench, Key, lasting
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer

_LEASE_MS = 15_000


class Clock:
    """The real clock of the machine, which a test moves."""

    def __init__(self) -> None:
        self.real_ms = START_MS

    def now_ns(self) -> int:
        return self.real_ms * 1_000_000


class Process:
    """A process of the mock: its store, and the sandboxes that it was woken for."""

    def __init__(self, store: RedisStore, server: RedisServer, runner: asyncio.Runner) -> None:
        self.store = store
        self.woken: list[str] = []
        self.bench = Bench(store, runner)
        self._server = server
        self._run = runner.run
        store.when_due(self.woken.append)

    def die(self) -> None:
        """Let the lease end, as if the process were gone."""
        self._run(self._server.send("DEL", process_key(self.store.owner)))

    def look(self) -> list[str]:
        """Look at what is overdue now; return the sandboxes with due callbacks."""
        self.woken.clear()
        self._run(self.store._watch.look())
        return self.woken

    def tidy(self) -> None:
        self._run(self.store._tidy())


NewProcess = Callable[..., Process]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_process(
    redis_server: RedisServer, runner: asyncio.Runner, open_store: NewStore, clock: Clock
) -> NewProcess:
    """Start a process whose background work a test does by hand."""
    runner.run(redis_server.flush(0))

    def new(**options: Any) -> Process:
        store = open_store(redis_server.address, clock=clock, **options)
        runner.run(store._background.aclose())
        return Process(store, redis_server, runner)

    return new


def pass_time(clock: Clock, key: Key, milliseconds: int) -> None:
    clock.real_ms += milliseconds
    key._bench.real_ms += milliseconds


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
    pass_time(clock, key, _LEASE_MS + 5_000)

    assert other.look() == []
    process.die()
    pass_time(clock, key, _LEASE_MS + 5_000)

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
    pass_time(clock, key, _LEASE_MS + 5_000)
    process.die()
    other = new_process()

    assert other.look() == []
    assert key.sandbox.claim_owners() == {process.store.owner}
    pass_time(clock, key, _LEASE_MS + 5_000)
    assert other.look() == [key.id]


def test_clock_that_a_process_held_when_it_ended_goes_on(
    new_process: NewProcess, clock: Clock
) -> None:
    process, other = new_process(), new_process()
    key = process.bench.key()
    key.execute(HoldClock, owner=process.store.owner)
    process.die()
    pass_time(clock, key, _LEASE_MS + 5_000)
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


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
def test_places_that_a_process_had_reserved_are_free_after_its_end(
    new_process: NewProcess, clock: Clock, *, is_killed: bool
) -> None:
    limits = {"max_tasks": 5_000}  # Five are reserved at once.
    process, other = new_process(**limits), new_process(**limits)
    process.bench.key("one").task(HELD)
    if is_killed:
        process.die()
        clock.real_ms += _LEASE_MS
        other.tidy()
    else:
        process.bench.run(process.store.aclose())

    other.bench.key("one").task(HELD)
    other.bench.run(other.store.aclose())
    [total] = [other.bench.run(_sum_of_places(new_process(**limits).store))]
    assert total == 2


async def _sum_of_places(store: RedisStore) -> int:
    total, fields = await store._connection.send([("GET", TASKS), ("HVALS", PLACES)])
    assert int(total) == sum(map(int, fields))
    return int(total)


def test_counters_of_all_processes_add_up(new_process: NewProcess, clock: Clock) -> None:
    process, other = new_process(), new_process()
    for each in (process, other):
        each.bench.key().task(HELD)
        each.bench.run(each.store._exchange())
    assert other.bench.run(other.store.total_metrics()).submitted == 2

    process.die()
    clock.real_ms += _LEASE_MS
    other.tidy()

    assert other.bench.run(other.store.total_metrics()).submitted == 2
    assert other.bench.run(other.store._send(("SMEMBERS", PROCESSES))) == [
        [other.store.owner.encode()]
    ]


def test_limit_of_tasks_holds_for_all_processes_together(new_process: NewProcess) -> None:
    processes = [new_process(max_tasks=7, seed=7) for _ in range(3)]
    answers = [processes[turn % 3].bench.key(f"key {turn % 2}").submit(HELD) for turn in range(12)]

    assert sum(isinstance(answer, TaskView) for answer in answers) == 7
    assert {answer.reason for answer in answers if isinstance(answer, Rejection)} == {
        RejectionReason.NO_ROOM
    }


def test_idle_sandbox_is_loaded_again_when_it_is_used(new_process: NewProcess) -> None:
    process = new_process()
    key = process.bench.key()
    task = key.task(DEFAULT_REQUEST, callback_url=HOOK)
    for _ in range(2):
        process.bench.run(process.store._drop_idle())

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
    runner.run(other.store._exchange())
    runner.run(process.store.remove(key.id))
    runner.run(other.store._exchange())

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
    runner.run(other.store._exchange())

    assert heard == []
    there.open()
    assert heard == [Change.SETTINGS]


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
