"""A snapshot is restored in slices, and replaces the sandbox at one instant."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.mock_server.control.turns import Turns
from tests.mock_server.e2e.api import SUBMIT, Json

ITEMS = 3_000
# Measured with the clock of `Turns`. It would be 120 if one turn built the whole new state.
ITEMS_PER_TURN = 100
SNAPSHOT = "/_mock/sandbox/snapshot"
OTHER = {"Authorization": "Bearer sk-another-key"}


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = MockServer(Settings(clock="manual", seed=5, **settings))
    app.control.plane()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://127.0.0.1",
        headers={"Authorization": "Bearer sk-key-of-snapshots"},
    ) as http:
        yield http


async def submit(http: httpx.AsyncClient, **options: Any) -> str:
    answer = await http.post(SUBMIT, json={"input": {"prompt": "a fox"}}, **options)
    task_id: str = answer.raise_for_status().json()["data"]["taskId"]
    return task_id


async def large_snapshot(http: httpx.AsyncClient) -> Json:
    """Return a snapshot with many tasks, deliveries and journal entries."""
    await submit(http)
    document: Json = (await http.get(SNAPSHOT)).raise_for_status().json()
    [task], [entry] = document["tasks"], document["journal"][:1]
    url = "http://127.0.0.1:9/"
    ids = [f"{task['id'][:21]}{number:016x}" for number in range(ITEMS)]
    return document | {
        "ordinal": ITEMS,
        "tasks": [task | {"id": each, "callback_url": url} for each in ids],
        "deliveries": [
            {"task_id": each, "url": url, "state": "pending", "due_ms": None, "attempts": []}
            for each in ids
        ],
        "journal": [entry] * ITEMS,
    }


def put(http: httpx.AsyncClient, document: Json, **options: Any) -> asyncio.Task[httpx.Response]:
    content = msgspec.json.encode(document)
    return asyncio.create_task(http.put(SNAPSHOT, content=content, **options))


async def until_begun(restoring: asyncio.Task[httpx.Response]) -> None:
    for _ in range(30):
        await asyncio.sleep(0)
    assert not restoring.done()


def with_server(
    test: Callable[[httpx.AsyncClient, Json], Awaitable[None]], **settings: Any
) -> None:
    async def run() -> None:
        async with serving(**settings) as http:
            await test(http, await large_snapshot(http))

    asyncio.run(run())


def test_other_requests_are_served_while_a_snapshot_is_restored() -> None:
    async def test(http: httpx.AsyncClient, document: Json) -> None:
        turns = Turns()

        answer = await turns.during(put(http, document))

        assert answer.status_code == 204
        assert turns.count >= 3 * ITEMS / ITEMS_PER_TURN

    with_server(test)


def test_requests_during_a_restore_reach_the_old_state_and_are_replaced() -> None:
    async def test(http: httpx.AsyncClient, document: Json) -> None:
        Turns()
        restoring = put(http, document)
        await until_begun(restoring)
        submitted = []
        while not restoring.done():
            submitted.append(await submit(http))
            await asyncio.sleep(0)  # A submit itself waits for nothing.
        assert (await restoring).status_code == 204

        known = {task["id"] for task in document["tasks"]}
        restored = {task["id"] for task in (await http.get(SNAPSHOT)).json()["tasks"]}
        replaced = [each for each in submitted if each not in restored]
        assert len(replaced) > 5
        # Submits between the replacement and the response to the restore reach the new state.
        assert restored == known.union(submitted[len(replaced) :])

    with_server(test, rate_limit=2 * ITEMS, max_concurrent=2 * ITEMS)


@pytest.mark.parametrize("turns", [40, 60])
def test_restore_that_is_cancelled_changes_nothing(turns: int) -> None:
    async def test(http: httpx.AsyncClient, document: Json) -> None:
        Turns()
        before = (await http.get(SNAPSHOT)).content
        restoring = put(http, document)
        await until_begun(restoring)
        for _ in range(turns):
            await asyncio.sleep(0)
        restoring.cancel()
        await asyncio.gather(restoring, return_exceptions=True)

        assert (await http.get(SNAPSHOT)).content == before
        # There are still places for all tasks but one, which the sandbox has.
        assert (await put(http, document)).status_code == 204

    with_server(test, max_tasks=ITEMS)


def test_restore_checks_max_tasks_when_it_replaces_the_state() -> None:
    async def test(http: httpx.AsyncClient, document: Json) -> None:
        Turns()
        before = (await http.get(SNAPSHOT)).json()
        restoring = put(http, document)
        await until_begun(restoring)
        await submit(http, headers=OTHER)  # There was a place until now.
        answer = await restoring

        assert answer.status_code == 409
        assert "--max-tasks" in answer.text
        assert (await http.get(SNAPSHOT)).json() == before
        # Then the other key has all places but one.
        fitting = {name: document[name][:-1] for name in ("tasks", "deliveries")}
        assert (await put(http, document | fitting, headers=OTHER)).status_code == 204

    with_server(test, max_tasks=ITEMS)
