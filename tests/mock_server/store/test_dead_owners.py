"""What a process has claimed is released when it has ended, and only then."""

import pytest

from mock_server.domain.commands import ClaimDeliveries, HoldClock
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.store.dead_owners import ChooseAlive, release_dead
from tests.mock_server.store.bench import Bench, Key, NewBench, lasting


def alive(*running: str) -> ChooseAlive:
    async def choose(owners: frozenset[str]) -> frozenset[str]:
        return owners & frozenset(running)

    return choose


def released(bench: Bench, key: Key, choose: ChooseAlive) -> frozenset[str]:
    return bench.run(release_dead(bench.store, key.id, choose, real_ms=bench.real_ms))


def test_only_attempts_of_ended_processes_are_due_again(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    claims = {}
    for owner in ("dead", "running"):
        key.callback_task(lasting(0))
        [claims[owner]] = key.execute(ClaimDeliveries, owner=owner)

    assert released(bench, key, alive("running")) == {"dead"}
    assert key.sandbox.claim_owners() == {"running"}
    [again] = key.execute(ClaimDeliveries, owner="next")
    assert again.task == claims["dead"].task


def test_clock_of_an_ended_process_is_released(new_bench: NewBench) -> None:
    bench = new_bench(clock=ClockSettings(mode="manual"))
    key = bench.key()
    key.execute(HoldClock, owner="dead")

    assert released(bench, key, alive()) == {"dead"}
    assert key.execute(HoldClock, owner="next") is not None


def test_claims_of_the_own_process_stay(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    key.callback_task(lasting(0))
    key.execute(ClaimDeliveries, owner=bench.store.owner)

    assert released(bench, key, alive()) == frozenset()
    assert key.sandbox.claim_owners() == {bench.store.owner}


@pytest.mark.parametrize("has_sandbox", [True, False], ids=["idle", "removed"])
def test_nobody_is_asked_about_a_sandbox_without_claims(
    new_bench: NewBench, *, has_sandbox: bool
) -> None:
    bench = new_bench()
    key = bench.key()
    if not has_sandbox:
        bench.run(bench.store.remove(key.id))

    async def fail(owners: frozenset[str]) -> frozenset[str]:
        raise AssertionError(owners)

    assert released(bench, key, fail) == frozenset()
