"""Two hundred keys at once on one server: nothing of one is seen by another."""

import asyncio

import httpx

from tests.mock_server.e2e.api import STATUS, SUBMIT
from tests.mock_server.e2e.serving import PATIENCE_S, RunningMock

KEYS = 200
TASKS = 4


async def live(http: httpx.AsyncClient, number: int) -> tuple[list[str], list[str]]:
    """Return the prompts that a key's journal holds, and what its requests were answered."""
    headers = {"Authorization": f"Bearer many-{number}"}

    async def call(method: str, path: str, body: object = None) -> httpx.Response:
        return await http.request(method, path, json=body, headers=headers)

    await call("PATCH", "/_mock/sandbox", {"max_concurrent": TASKS})
    if number % 2:
        rule = {"match": {"operation": "status"}, "apply": {"refuse": {"status": 503}}}
        await call("PUT", "/_mock/rules", {"rules": [rule]})
    told = [
        await call("POST", SUBMIT, {"input": {"prompt": f"{number}"}}) for _ in range(TASKS + 1)
    ]
    ids = [answer.json()["data"]["taskId"] for answer in told[:TASKS]]
    asked = [await call("GET", f"{STATUS}?taskId={each}") for each in ids]
    tasks = (await call("GET", "/_mock/tasks")).json()["tasks"]
    entries = (await call("GET", "/_mock/journal")).json()["entries"]
    assert {task["task_id"] for task in tasks} == set(ids)
    assert len(entries) == 2 * TASKS + 1
    bodies = [entry["request"]["body"] for entry in entries if entry["operation"] == "submit"]
    return bodies, [str(answer.status_code) for answer in (*told, *asked)]


def test_two_hundred_sandboxes_do_not_mix(mock: RunningMock) -> None:
    async def all_at_once() -> list[tuple[list[str], list[str]]]:
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(
            base_url=mock.url, limits=limits, timeout=PATIENCE_S, trust_env=False, verify=False
        ) as http:
            return await asyncio.gather(*(live(http, number) for number in range(KEYS)))

    for number, (bodies, statuses) in enumerate(asyncio.run(all_at_once())):
        assert set(bodies) == {f'{{"input":{{"prompt":"{number}"}}}}'}
        end = "503" if number % 2 else "200"
        assert statuses == ["200"] * TASKS + ["429"] + [end] * TASKS
