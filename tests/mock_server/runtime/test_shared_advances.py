"""Several processes move the clock of one sandbox: they take turns, and each advance settles."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import ReleaseClaims, Reset
from mock_server.domain.deliveries import DeliveryState
from mock_server.domain.dispatching import Advanced, SandboxDropped
from tests.mock_server.runtime.processes import ID, LEASE_S, Process, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually
from tests.mock_server.runtime.work import (
    Work,
    are_delivered,
    expected,
    latencies,
    submit,
    works,
)
from tests.mock_server.store.bench import START_MS
from tests.properties import examples

spans_ms = st.sampled_from([1, 2000, 5000, 100_000])


@examples(100)
@given(works, latencies, st.lists(st.tuples(st.integers(0, 1), spans_ms), min_size=2, max_size=4))
def test_concurrent_advances_take_turns_and_each_settles(
    work: list[Work], latencies_s: list[float], advances: list[tuple[int, int]]
) -> None:
    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=latencies_s)
        await shared.begin()
        processes = [Process(shared, "one"), Process(shared, "two")]
        for each in work:
            await submit(shared, processes[each.process], each)
        await asyncio.sleep(60)  # What is due at the beginning is delivered before.
        before = len(shared.posts)
        settled: list[tuple[Advanced, int]] = []

        async def advance(process: int, by_ms: int) -> None:
            advanced = await processes[process].advance(by_ms)
            settled.append((advanced, len(shared.posts)))

        await asyncio.gather(*(advance(process, by_ms) for process, by_ms in advances))

        settled.sort(key=lambda each: each[0].from_ms)
        now_ms = START_MS
        for advanced, count in settled:
            assert advanced.from_ms == now_ms
            now_ms = advanced.now_ms
            mine = shared.posts[before:count]
            before = count
            assert [(each.task_id, each.at_ms) for each in advanced.fired] == [
                (post.task_id, post.at_ms) for post in mine
            ]
            assert all(advanced.from_ms <= post.at_ms <= now_ms for post in mine)
            due_ms = shared.sandbox.next_due_ms()
        assert now_ms == START_MS + sum(by_ms for _, by_ms in advances)
        assert shared.sandbox.clock(0).now_ms == now_ms
        assert due_ms is None or due_ms > now_ms
        assert [post.at_ms for post in shared.posts] == sorted(post.at_ms for post in shared.posts)

    run_virtually(main())


@examples(100)
@given(works, latencies, st.floats(0, 60))
def test_advance_continues_after_the_process_that_held_the_clock_was_killed(
    work: list[Work], latencies_s: list[float], kill_s: float
) -> None:
    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=latencies_s)
        await shared.begin()
        killed, other = Process(shared, "killed"), Process(shared, "other")
        task_ids = [await submit(shared, other, each) for each in work]
        first = asyncio.ensure_future(killed.advance(1_000_000))
        await asyncio.sleep(kill_s)
        interrupted = killed.kill()
        second = asyncio.ensure_future(other.advance(1_000_000))
        await asyncio.sleep(LEASE_S)
        await other.release(killed)
        await second
        first.cancel()

        repeated = shared.received() - expected(shared, task_ids)
        assert are_delivered(shared, len(task_ids))
        assert set(repeated) <= interrupted
        assert shared.sandbox.claim_owners() == set()

    run_virtually(main())


def test_advance_waits_for_the_attempts_of_other_processes() -> None:
    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=[10.0])
        await shared.begin()
        one, other = Process(shared, "one"), Process(shared, "other")
        await other.submit(0)
        await asyncio.sleep(1)
        assert shared.sandbox.claim_owners() == {"other"}
        await one.advance(5000)

        [delivery] = shared.sandbox.deliveries()
        assert delivery.state is DeliveryState.DELIVERED

    run_virtually(main())


@pytest.mark.parametrize("change", ["reset", "removal"])
def test_advance_ends_when_another_process_drops_the_sandbox(change: str) -> None:
    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=[600.0])
        await shared.begin()
        one, other = Process(shared, "one"), Process(shared, "other")
        await one.submit(1000)
        advance = asyncio.ensure_future(one.advance(5000))
        await asyncio.sleep(1)
        if change == "reset":
            await other.store.execute(ID, Reset(real_ms=other.real_ms()))
        else:
            await other.store.remove(ID)
        with pytest.raises(SandboxDropped):
            await asyncio.wait_for(advance, 1)
        await asyncio.sleep(1)

        assert one.dispatcher.is_idle

    run_virtually(main())


def test_advance_continues_when_the_clock_was_taken_from_its_process() -> None:
    """Others take a process for dead that was suspended for longer than its lease."""

    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=[10.0])
        await shared.begin()
        suspended, other = Process(shared, "suspended"), Process(shared, "other")
        task_ids = [await suspended.submit(duration_ms) for duration_ms in (1000, 2000)]
        advance = asyncio.ensure_future(suspended.advance(5000))
        await asyncio.sleep(1)
        release = ReleaseClaims(real_ms=other.real_ms(), owner="suspended")
        assert await other.store.execute(ID, release) == 1
        async with asyncio.timeout(60):
            advanced = await advance

        assert shared.received() == Counter({task_ids[0]: 2, task_ids[1]: 1})
        assert advanced.now_ms == shared.sandbox.clock(0).now_ms == START_MS + 5000
        assert are_delivered(shared, 2)

    run_virtually(main())


def test_cancelled_advance_does_not_hold_the_clock() -> None:
    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=[10.0])
        await shared.begin()
        one, other = Process(shared, "one"), Process(shared, "other")
        await one.submit(1000)
        for wait_s in (0.0005, 0.0015, 0.0025, 0.0035, 0.0045, 1.0):
            advance = asyncio.ensure_future(one.advance(5000))
            await asyncio.sleep(wait_s)
            advance.cancel()
            await asyncio.gather(advance, return_exceptions=True)
            await asyncio.wait_for(other.advance(1), 20)

    run_virtually(main())


@pytest.mark.parametrize("delay_s", [number / 5000 for number in range(-20, 20)])
def test_clock_is_not_held_after_its_sandbox_was_reset_elsewhere(delay_s: float) -> None:
    """A process may hold the clock of the new state for a call that the reset has ended."""

    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=[10.0])
        await shared.begin()
        one, other = Process(shared, "one"), Process(shared, "other")
        reset = other.store.execute(ID, Reset(real_ms=other.real_ms()))
        calls = [one.advance(5000), reset] if delay_s > 0 else [reset, one.advance(5000)]
        jobs = []
        for call in calls:
            jobs.append(asyncio.ensure_future(call))
            await asyncio.sleep(abs(delay_s))
        await asyncio.gather(*jobs, return_exceptions=True)
        async with asyncio.timeout(20):
            await other.advance(1)

        assert one.dispatcher.is_idle

    run_virtually(main())
