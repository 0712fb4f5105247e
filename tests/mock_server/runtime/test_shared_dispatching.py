"""Several processes deliver the callbacks of one sandbox: none twice, and none is lost."""

import asyncio
import logging
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import HoldClock, ReleaseClock
from tests.mock_server.runtime.processes import ID, LEASE_S, Outage, Process, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually
from tests.mock_server.runtime.work import (
    Work,
    are_delivered,
    expected,
    instants_s,
    latencies,
    outages,
    submit,
    works,
)
from tests.properties import examples


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
