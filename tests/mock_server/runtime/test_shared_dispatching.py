"""Several processes deliver the callbacks of one sandbox: none twice, and none is lost."""

import asyncio
import logging
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import HoldClock, ReleaseClaims, ReleaseClock, Reset
from mock_server.domain.deliveries import DeliveryState
from mock_server.domain.dispatching import Advanced, SandboxDropped
from tests.mock_server.runtime.processes import ID, LEASE_S, Outage, Process, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually
from tests.mock_server.store.bench import START_MS
from tests.properties import examples


class Work(msgspec.Struct, frozen=True):
    """A callback task: when and where it is submitted, and how long it takes."""

    at_s: float
    process: int
    duration_ms: int
    failures: int


instants_s = st.floats(0, 10)
works = st.lists(
    st.builds(
        Work,
        instants_s,
        st.integers(0, 1),
        st.sampled_from([0, 1, 3000, 3000, 8000]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    min_size=1,
    max_size=6,
)
latencies = st.lists(st.sampled_from([0.0, 0.05, 2.0, 20.0]), min_size=1, max_size=3)
outages = st.builds(
    lambda from_s, for_s, *, is_applied: Outage(from_s, from_s + for_s, is_applied),
    instants_s,
    st.sampled_from([0.5, 3.0, 10.0]),
    is_applied=st.booleans(),
)


async def submit(shared: SharedSandbox, process: Process, work: Work) -> str:
    task_id = await process.submit(work.duration_ms)
    shared.failures[task_id] = work.failures
    return task_id


def are_delivered(shared: SharedSandbox, count: int) -> bool:
    states = [delivery.state for delivery in shared.sandbox.deliveries()]
    return states.count(DeliveryState.DELIVERED) == count


def expected(shared: SharedSandbox, task_ids: list[str]) -> Counter[str]:
    """Return how many callbacks of each task a receiver gets if none is repeated."""
    return Counter({task_id: 1 + shared.failures[task_id] for task_id in task_ids})


@examples(100)
@given(works, latencies, st.integers(-5000, 5000))
def test_each_attempt_is_made_once_by_one_process(
    work: list[Work], latencies_s: list[float], skew_ms: int
) -> None:
    async def main() -> None:
        shared = SharedSandbox(latencies_s=latencies_s)
        await shared.begin()
        processes = [Process(shared, "one"), Process(shared, "two", skew_ms=skew_ms)]
        task_ids = []
        for each in sorted(work, key=lambda each: each.at_s):
            await asyncio.sleep(max(each.at_s - asyncio.get_running_loop().time(), 0))
            task_ids.append(await submit(shared, processes[each.process], each))
            processes[1 - each.process].dispatcher.wake(ID)
        await shared.until(lambda: are_delivered(shared, len(task_ids)))

        assert shared.received() == expected(shared, task_ids)
        assert all(post.has_claim for post in shared.posts)

    run_virtually(main())


@examples(100)
@given(works, latencies, instants_s)
def test_no_callback_of_a_killed_process_is_lost(
    work: list[Work], latencies_s: list[float], kill_s: float
) -> None:
    async def main() -> None:
        shared = SharedSandbox(latencies_s=latencies_s)
        await shared.begin()
        killed, other = Process(shared, "killed"), Process(shared, "other")
        task_ids = [
            await submit(shared, (killed, other)[each.process], each)
            for each in sorted(work, key=lambda each: each.at_s)
        ]
        await asyncio.sleep(kill_s)
        interrupted = killed.kill()
        await asyncio.sleep(LEASE_S)
        await other.release(killed)
        await shared.until(lambda: are_delivered(shared, len(task_ids)))

        repeated = shared.received() - expected(shared, task_ids)
        assert shared.received() >= Counter(task_ids)
        assert set(repeated) <= interrupted
        assert all(count == 1 for count in repeated.values())

    run_virtually(main())


@examples(200)
@given(works, latencies, st.lists(outages, min_size=1, max_size=2))
def test_an_outage_of_the_store_repeats_and_loses_nothing(
    work: list[Work], latencies_s: list[float], away: list[Outage]
) -> None:
    """The commands of an outage may be applied although the process gets an error."""

    async def main() -> None:
        shared = SharedSandbox(latencies_s=latencies_s)
        await shared.begin()
        process = Process(shared, "one")
        task_ids = [await submit(shared, process, each) for each in work]
        process.store.outages = away
        await shared.until(lambda: are_delivered(shared, len(task_ids)))
        await asyncio.sleep(LEASE_S)

        assert shared.received() == expected(shared, task_ids)
        assert all(post.has_claim for post in shared.posts)
        assert shared.sandbox.claim_owners() == set()
        recorded = Counter(entry.task_id for _, entry in shared.sandbox.entries())
        assert recorded >= shared.received()

    run_virtually(main())


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


def test_callback_that_falls_due_while_another_process_holds_the_clock_is_delivered() -> None:
    async def main() -> None:
        shared = SharedSandbox()
        await shared.begin()
        holder, other = Process(shared, "holder"), Process(shared, "other")
        await holder.store.execute(ID, HoldClock(real_ms=holder.real_ms(), owner="holder"))
        await other.submit(2000)
        await asyncio.sleep(30)
        assert shared.posts == []
        await holder.store.execute(ID, ReleaseClock(real_ms=holder.real_ms(), owner="holder"))
        await asyncio.sleep(3)

        assert [post.owner for post in shared.posts] == ["other"]

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


def test_shutdown_waits_some_seconds_for_attempts_in_progress() -> None:
    async def main() -> None:
        shared = SharedSandbox(latencies_s=[3.0])
        await shared.begin()
        one = Process(shared, "one")
        for duration_ms in (0, 2000):
            await one.submit(duration_ms)
        await asyncio.sleep(1)
        await one.dispatcher.aclose()

        states = [delivery.state for delivery in shared.sandbox.deliveries()]
        assert states == [DeliveryState.DELIVERED, DeliveryState.PENDING]
        assert len(shared.posts) == 1

    run_virtually(main())


def test_shutdown_releases_what_it_interrupts(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        shared = SharedSandbox(latencies_s=[600.0])
        await shared.begin()
        one = Process(shared, "one")
        task_ids = [await one.submit(0), await one.submit(60_000)]
        await asyncio.sleep(1)
        await one.dispatcher.aclose()

        assert shared.sandbox.claim_owners() == set()
        other = Process(shared, "other")
        other.dispatcher.wake(ID)
        await asyncio.sleep(1)
        assert [(post.task_id, post.owner) for post in shared.posts] == [
            (task_ids[0], "one"),
            (task_ids[0], "other"),
        ]

    with caplog.at_level(logging.INFO, "mock_server.callbacks"):
        run_virtually(main())
    assert caplog.messages == [
        "callback attempts interrupted by shutdown: 1; they will be made again"
    ]


def test_outage_is_logged_once_with_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        shared = SharedSandbox()
        await shared.begin()
        process = Process(shared, "one")
        process.store.outages = [Outage(1.0, 9.0, is_applied=False)]
        await process.submit(2000)
        await process.submit(3000)
        await shared.until(lambda: are_delivered(shared, 2))

    with caplog.at_level(logging.INFO, "mock_server.callbacks"):
        run_virtually(main())
    assert caplog.messages == [
        "callbacks wait until the store can be used again: the store is away",
        "callbacks continue: the store can be used again",
    ]
