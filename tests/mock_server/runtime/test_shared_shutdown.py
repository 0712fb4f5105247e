"""A process that stops leaves the callbacks of its sandbox to the others."""

import asyncio
import logging

import pytest

from mock_server.domain.deliveries import DeliveryState
from tests.mock_server.runtime.processes import ID, Process, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually


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
