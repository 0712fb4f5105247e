"""Thousands of callbacks that are due at once: none is lost, and few are in progress at a time."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from mock_server.domain.commands import ClaimDeliveries, SetClock
from mock_server.domain.ports import DeliveryResult
from mock_server.runtime.lanes import LaneLimits
from tests.mock_server.runtime.processes import ID, Process, ProcessStore, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually
from tests.mock_server.runtime.work import are_delivered
from tests.mock_server.store.bench import HOOK

COUNT = 600
PORTION = 256
DUE_MS = 10_000


class Watched(Process):
    """A process that notes the most tasks of its event loop and the largest claims."""

    most_tasks = 0
    most_claimed = 0

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        claimed = self._shared.sandbox.claims_of(self.owner)
        self.most_claimed = max(self.most_claimed, len(claimed))
        self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))
        return await super().post(url, body, lane, is_slow=is_slow)


class CountingStore(ProcessStore):
    """Notes how many deliveries each command claims."""

    def __init__(self, shared: SharedSandbox, owner: str) -> None:
        super().__init__(shared, owner)
        self.portions: list[int] = []

    async def execute(self, sandbox_id: str, command: Any) -> Any:
        result = await super().execute(sandbox_id, command)
        if isinstance(command, ClaimDeliveries):
            self.portions.append(len(result))
        return result


async def burst(
    count: int, limits: LaneLimits | None = None, *, urls: int = 1
) -> tuple[SharedSandbox, Watched]:
    """Submit tasks that end at the same instant of a manual clock."""
    shared = SharedSandbox(mode="manual", latencies_s=[0.01])
    await shared.begin()
    process = Watched(shared, "one", limits=limits)
    for n in range(count):
        await process.submit(DUE_MS, f"{HOOK}/{n % urls}")
    return shared, process


async def let_time_pass(process: Process) -> None:
    """Let the clock move by itself, so that the callbacks become due."""
    set_clock = SetClock(real_ms=process.real_ms(), mode="real", speed=10_000)
    await process.store.execute(ID, set_clock)
    process.dispatcher.wake(ID)


@pytest.mark.parametrize("urls", [1, 40], ids=["one receiver", "many receivers"])
def test_a_burst_is_claimed_in_portions_and_few_attempts_are_in_progress(urls: int) -> None:
    async def main() -> None:
        shared, process = await burst(COUNT, urls=urls)
        await let_time_pass(process)
        await shared.until(lambda: are_delivered(shared, COUNT))

        assert set(shared.received().values()) == {1}
        assert process.most_claimed > PORTION  # It was a burst.
        assert process.most_tasks < 128 + 20
        assert all(post.has_claim for post in shared.posts)

    run_virtually(main())


def test_one_command_claims_at_most_a_portion() -> None:
    async def main() -> None:
        shared, process = await burst(COUNT)
        store = CountingStore(shared, "other")
        other = Process(shared, "other", store=store)
        await other.advance(DUE_MS)

        assert max(store.portions) == PORTION
        assert are_delivered(shared, COUNT)
        assert process.dispatcher.is_idle

    run_virtually(main())


@pytest.mark.parametrize("mode", ["real", "manual"])
def test_a_process_claims_only_a_limited_number_of_attempts(mode: str) -> None:
    async def main() -> None:
        limits = LaneLimits(per_lane=4, claimed=20)
        shared, process = await burst(200, limits)
        if mode == "manual":
            advanced = await process.advance(DUE_MS)
            assert len(advanced.fired) == 200
        else:
            await let_time_pass(process)
        await shared.until(lambda: are_delivered(shared, 200))

        assert set(shared.received().values()) == {1}
        assert process.most_claimed == 20
        await asyncio.sleep(1)
        assert process.dispatcher.is_idle

    run_virtually(main())


def test_processes_share_a_burst() -> None:
    async def main() -> None:
        shared, process = await burst(COUNT)
        other = Process(shared, "other")
        await let_time_pass(process)
        other.dispatcher.wake(ID)
        await shared.until(lambda: are_delivered(shared, COUNT))

        assert set(shared.received().values()) == {1}
        owners = Counter(post.owner for post in shared.posts)
        assert min(owners["one"], owners["other"]) >= PORTION / 2

    run_virtually(main())


def test_shutdown_during_a_burst_waits_for_attempts_in_progress_and_releases_the_others() -> None:
    async def main() -> None:
        shared, process = await burst(200)
        await let_time_pass(process)
        await shared.until(lambda: shared.posts != [])
        await process.dispatcher.aclose()

        assert set(shared.received().values()) == {1}
        assert len(shared.posts) < 200
        assert shared.sandbox.claim_owners() == set()
        other = Process(shared, "other")
        other.dispatcher.wake(ID)
        await shared.until(lambda: are_delivered(shared, 200))
        assert set(shared.received().values()) == {1}

    run_virtually(main())
