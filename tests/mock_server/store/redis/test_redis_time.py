"""Clocks of machines are set. No process shows it, and nobody loses what it has claimed."""

import asyncio
import logging

import pytest

from mock_server.domain.commands import ClaimDeliveries
from mock_server.store.redis.keys import process_key
from tests.mock_server.store.bench import START_MS, Key, lasting
from tests.mock_server.store.redis.processes import LEASE_MS, Clock, NewProcess, Process, pass_time
from tests.redis_server import RedisServer

HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def clock_at(real_ms: int) -> Clock:
    clock = Clock()
    clock.real_ms = real_ms
    return clock


@pytest.mark.parametrize("difference_ms", [-HOUR_MS, DAY_MS])
def test_process_that_starts_has_the_time_of_the_others(
    new_process: NewProcess, caplog: pytest.LogCaptureFixture, difference_ms: int
) -> None:
    other = clock_at(START_MS + difference_ms)
    new_process()
    with caplog.at_level(logging.WARNING):
        new_process(clock=other)

    assert other.real_ms == START_MS
    direction = "behind" if difference_ms < 0 else "ahead"
    [message] = caplog.messages
    assert f"the clock of this machine is {abs(difference_ms) // 1000} s {direction}" in message


@pytest.mark.parametrize("difference_ms", [-HOUR_MS, DAY_MS])
def test_process_that_starts_alone_does_not_go_back(
    new_process: NewProcess, difference_ms: int
) -> None:
    earlier = new_process()
    earlier.bench.key()
    earlier.die()
    clock = clock_at(START_MS + difference_ms)
    new_process(clock=clock)

    assert clock.real_ms == START_MS + max(0, difference_ms)


def test_process_catches_up_with_what_others_have_done(new_process: NewProcess) -> None:
    early, late = clock_at(START_MS), clock_at(START_MS)
    process, other = new_process(clock=late), new_process(clock=early)
    key = process.bench.key()
    pass_time(late, key, HOUR_MS)
    key.status(key.task(lasting(0)).id)
    other.bench.key()

    assert early.real_ms == late.real_ms


def test_process_that_renews_its_key_is_alive_although_redis_deletes_it(
    new_process: NewProcess, clock: Clock
) -> None:
    """Redis does so if the clock of its machine is set forward."""
    process, other, key = claimed(new_process)
    for _ in range(5):
        process.die()
        pass_time(clock, key, LEASE_MS // 2)
        other.tidy()
        other.look()
        process.renew()
        other.tidy()

    assert key.sandbox.claim_owners() == {process.store.owner}


def test_process_that_does_not_renew_its_key_has_ended(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    """Redis keeps it for longer if the clock of its machine is set back."""
    process, other, key = claimed(new_process)
    runner.run(redis_server.send("PERSIST", process_key(process.store.owner)))
    pass_time(clock, key, LEASE_MS + 5_000)

    assert other.look() == [key.id]


def claimed(new_process: NewProcess) -> tuple[Process, Process, Key]:
    """Return a process that makes an attempt, another one, and the key of the sandbox."""
    process, other = new_process(), new_process()
    key = process.bench.key()
    key.callback_task(lasting(0))
    key.execute(ClaimDeliveries, owner=process.store.owner)
    other.tidy()
    return process, other, key
