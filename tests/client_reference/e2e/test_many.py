"""A thousand prompts through a limit of a hundred tasks at once."""

import asyncio
from collections.abc import Sequence

import pytest

from client_reference import AsyncClient, BatchResult, Client
from tests.client_reference.e2e.common_time import (
    AsyncCountingTransport,
    CommonAsyncTime,
    CommonTime,
    CountingTransport,
)
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock

PROMPTS = [f"fox number {number}" for number in range(1000)]
LIMIT = 100


def test_a_thousand_prompts_are_all_accounted_for_by_threads(mock: RunningMock, api: Api) -> None:
    api.change(max_concurrent=LIMIT)
    time = CommonTime(api.now_ms() / 1000, api.advance)

    with Client(
        api.key,
        mock.url,
        transport=CountingTransport(time.asks),
        clock=time.clock,
        sleep=time.sleep,
    ) as client:
        results = list(client.generate_many(PROMPTS, concurrency=150))

    judge(results, api)


def test_a_thousand_prompts_are_all_accounted_for_by_tasks(mock: RunningMock, api: Api) -> None:
    api.change(max_concurrent=LIMIT)

    async def generated() -> list[BatchResult]:
        time = CommonAsyncTime(api.now_ms() / 1000, api.advance)
        moving = asyncio.create_task(time.run())
        async with AsyncClient(
            api.key,
            mock.url,
            transport=AsyncCountingTransport(time.asks),
            clock=time.clock,
            sleep=time.sleep,
        ) as client:
            results = [each async for each in client.generate_many(PROMPTS, concurrency=1000)]
        moving.cancel()
        return results

    judge(asyncio.run(generated()), api)


def judge(results: Sequence[BatchResult], api: Api) -> None:
    """Each prompt has its pictures, was bought once, and the limit has pushed back."""
    assert [each.error for each in results if each.error is not None] == []
    assert sorted(each.index for each in results) == list(range(len(PROMPTS)))
    assert all(PROMPTS[each.index] == each.prompt for each in results)
    task_ids = {each.generation.task.id for each in results if each.generation is not None}
    counters = api.counters()
    assert len(task_ids) == counters["tasks"]["success"] == len(PROMPTS)
    assert counters["live_tasks"] == 0
    assert counters["refused"] > 0


@pytest.mark.parametrize("concurrency", [0, 1001, 2.5, True])
def test_a_concurrency_beyond_the_limit_is_refused(api: Api, concurrency: int) -> None:
    client = Client(api.key, "http://127.0.0.1:1")

    with pytest.raises(ValueError, match="concurrency: must be a whole number from 1 to 1000"):
        client.generate_many(PROMPTS, concurrency=concurrency)
    client.close()
