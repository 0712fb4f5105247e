"""Thousands of ended tasks are settled in portions before their counters are read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mock_server.control.all_counters import all_counters, counters_of
from mock_server.control.ended_tasks import settle_ended
from mock_server.domain.commands import Submit
from mock_server.domain.events import Notice, TasksEnded
from mock_server.domain.ledger import PORTION
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.submission import Submission
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.store.bench import MODEL, START_MS, lasting

ID = "0123456789abcdef"
COUNT = 3 * PORTION + 1
LATER_MS = START_MS + 1_000
TEMPLATE = SandboxTemplate(
    seed=7,
    settings=SandboxSettings(rate_limit=COUNT, max_concurrent=COUNT, balance_microusd=10**12),
    clock=ClockSettings(),
    models={MODEL.id: MODEL},
    fail_messages={},
)


async def store_with_ended_tasks() -> tuple[MemoryStore, SandboxReader]:
    store = MemoryStore(TEMPLATE)
    sandbox = await store.open(ID, is_broke=False, real_ms=START_MS)
    submission = Submission(prompt="a fox", ratio="1:1", num_images=1, callback_url=None)
    for _ in range(COUNT):
        submit = Submit(
            real_ms=START_MS,
            model_id=MODEL.id,
            submission=submission,
            plan_request=lasting(5),
            base_url="http://mock",
        )
        await store.execute(ID, submit)
    return store, sandbox


async def read_all(store: Store, sandbox: SandboxReader, real_ms: int) -> Any:
    [(_, counters)] = [each async for each in all_counters(store, [sandbox], real_ms)]
    return counters


@pytest.mark.parametrize("read", [counters_of, read_all])
def test_counters_are_exact_and_others_have_their_turn_between_portions(
    read: Callable[[Store, SandboxReader, int], Awaitable[Any]],
) -> None:
    portions: list[tuple[int, int]] = []
    turn = 0

    async def turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def note(notice: Notice) -> None:
        if isinstance(notice, TasksEnded):
            portions.append((turn, len(notice.tasks)))

    async def main() -> Any:
        store, sandbox = await store_with_ended_tasks()
        store.follow(ID, note)
        others = asyncio.create_task(turns())
        counters = await read(store, sandbox, LATER_MS)
        others.cancel()
        return counters

    counters = asyncio.run(main())

    assert (counters.succeeded, counters.live_tasks) == (COUNT, 0)
    assert [size for _, size in portions] == [PORTION, PORTION, PORTION, 1]
    assert len({turn for turn, _ in portions[:3]}) == 3


def test_tasks_that_have_not_ended_need_no_command() -> None:
    async def main() -> None:
        store, sandbox = await store_with_ended_tasks()
        store.execute = None  # type: ignore[method-assign, assignment]  # It must not be called.
        await settle_ended(store, sandbox, START_MS)

    asyncio.run(main())
