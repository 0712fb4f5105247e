"""Many prompts through a limit of a tenth as many tasks at once: a thousand in `make test-deep`."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from threading import local

import httpx
import pytest

from client_reference import AsyncClient, BatchResult, Client, Polling
from tests.client_reference.e2e.common_time import CommonTime
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.properties import scale

# Each task has ended when it is first asked for: here the submits matter, not the polling.
PATIENT = Polling(first_s=60)


class OnePoolEach(httpx.BaseTransport):
    """Gives each thread its own connection.

    The pool of httpcore 1.0 that threads share closes, now and then, one that is in use
    (encode/httpcore#1110); then a submit is uncertain, and rightly so.
    """

    def __init__(self) -> None:
        self._mine = local()
        self._all: list[httpx.HTTPTransport] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not hasattr(self._mine, "pool"):
            self._mine.pool = httpx.HTTPTransport(verify=False)
            self._all.append(self._mine.pool)
        pool: httpx.HTTPTransport = self._mine.pool
        return pool.handle_request(request)

    def close(self) -> None:
        for pool in self._all:
            pool.close()


class FewAtOnce(httpx.AsyncHTTPTransport):
    """Lets few requests into a pool that is slow with a thousand."""

    def __init__(self) -> None:
        super().__init__(verify=False)
        self._places = asyncio.Semaphore(4)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with self._places:
            return await super().handle_async_request(request)


@pytest.fixture
def prompts() -> list[str]:
    return [f"fox number {number}" for number in range(min(1000, scale(800)))]


@pytest.mark.deep
def test_many_prompts_are_all_accounted_for_by_threads(
    mock: RunningMock, api: Api, prompts: list[str]
) -> None:
    api.change(max_concurrent=len(prompts) // 10)
    time = CommonTime(api)
    results: list[BatchResult] = []

    with Client(
        api.key,
        mock.url,
        transport=OnePoolEach(),
        clock=time.clock,
        sleep=time.sleep,
        polling=PATIENT,
    ) as client:
        given = time.given(prompts)
        for result in client.generate_many(given, concurrency=len(prompts) // 5):
            time.ended()
            results.append(result)

    judge(prompts, results, api)


@pytest.mark.deep
def test_many_prompts_are_all_accounted_for_by_tasks(
    mock: RunningMock, api: Api, prompts: list[str]
) -> None:
    api.change(max_concurrent=len(prompts) // 10)
    time = CommonTime(api)
    results: list[BatchResult] = []

    async def generate() -> None:
        async with AsyncClient(
            api.key,
            mock.url,
            transport=FewAtOnce(),
            clock=time.clock,
            sleep=time.async_sleep,
            polling=PATIENT,
        ) as client:
            given = time.given(prompts)
            async for result in client.generate_many(given, concurrency=len(prompts)):
                time.ended()
                results.append(result)

    asyncio.run(generate())

    judge(prompts, results, api)


def judge(prompts: Sequence[str], results: Sequence[BatchResult], api: Api) -> None:
    """Each prompt has its pictures and was bought once, though the limit pushed back."""
    tasks = api.told("GET", f"tasks?limit={2 * len(prompts)}")["tasks"]
    counters = api.counters()
    assert [each.error for each in results if each.error is not None] == []
    assert {each.index: each.prompt for each in results} == dict(enumerate(prompts))
    assert len(results) == len(prompts)

    assert Counter(each["prompt"] for each in tasks) == Counter(prompts)
    assert counters["tasks"] == {"success": len(prompts), "failed": 0, "dropped": 0}
    assert {
        (each.generation.task.id, each.prompt) for each in results if each.generation is not None
    } == {(each["task_id"], each["prompt"]) for each in tasks}

    assert most_at_once(tasks) == len(prompts) // 10
    assert counters["refused"] > 0
    assert counters["live_tasks"] == 0


def most_at_once(tasks: Sequence[Json]) -> int:
    changes = Counter[int]()
    for task in tasks:
        changes[task["create_time_ms"]] += 1
        changes[task["complete_time_ms"]] -= 1
    under_way = most = 0
    for at_ms in sorted(changes):
        under_way += changes[at_ms]
        most = max(most, under_way)
    return most


@pytest.mark.parametrize("concurrency", [0, 1001, 2.5, True])
def test_invalid_concurrency_is_rejected(api: Api, concurrency: int) -> None:
    with (
        Client(api.key, "http://127.0.0.1:1") as client,
        pytest.raises(ValueError, match="concurrency: must be an integer from 1 to 1000"),
    ):
        client.generate_many(["a fox"], concurrency=concurrency)
