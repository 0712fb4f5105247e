"""Many keys at once on one server: nothing of one is seen, felt or counted by another."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Json
from tests.mock_server.e2e.receiver import Receiver
from tests.mock_server.e2e.serving import RunningMock, running
from tests.patience import PATIENCE_S
from tests.properties import scale

KEYS = min(200, scale(160))  # 40, or 200 in a deep run; the number becomes a status below 600
PRICE = 0.035


@dataclass
class Life:
    """What one key does and what it was answered."""

    number: int
    http: httpx.AsyncClient
    places: asyncio.Semaphore  # a pool is slow with hundreds that wait for a connection
    ids: list[str] = field(default_factory=list)

    @property
    def room(self) -> int:
        """As many tasks at once as no neighbour has."""
        return 1 + self.number % 4

    @property
    def seconds(self) -> int:
        return 100 + self.number

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer many-sandboxes-{self.number}"}
        async with self.places:
            return await self.http.request(method, path, json=body, headers=headers)

    async def told(self, method: str, path: str, body: object = None) -> Json:
        answer = await self.call(method, f"/_mock/{path}", body)
        assert answer.status_code == 200, answer.text
        data: Json = answer.json()
        return data

    async def begin(self) -> None:
        await self.told("PATCH", "sandbox", {"max_concurrent": self.room, "balance": self.number})
        apply: dict[int, Json] = {
            0: {"refuse": {"status": 399 + self.number}},
            1: {"meaning": "unknown-state"},
            2: {"wire": "empty"},
        }
        rule = {"match": {"operation": "status"}, "apply": apply.get(self.number % 5)}
        if rule["apply"]:
            await self.told("PUT", "rules", {"rules": [rule]})

    async def live(self, callback_url: str) -> None:
        order = {"request_type": "callback", "callback_url": f"{callback_url}/{self.number}"}
        for _ in range(self.room + 1):
            answer = await self.call(
                "POST", SUBMIT, {**order, "input": {"prompt": f"{self.number}"}}
            )
            if answer.status_code == 200:
                self.ids.append(answer.json()["data"]["taskId"])
        assert len(self.ids) == min(self.room, round(self.number // PRICE))
        for each in self.ids:
            self.check_status(await self.call("GET", f"{STATUS}?taskId={each}"))
        await self.told("POST", "clock/advance", {"seconds": self.seconds})

    def check_status(self, answer: httpx.Response) -> None:
        match self.number % 5:
            case 0:
                assert answer.status_code == 399 + self.number
            case 1:
                assert answer.json()["data"]["state"] == "queued"
            case 2:
                assert answer.content == b""
            case _:
                assert answer.json()["data"]["state"] == "pending"

    async def check(self, began_ms: int) -> None:
        tasks = (await self.told("GET", "tasks"))["tasks"]
        entries = (await self.told("GET", "journal"))["entries"]
        counters = (await self.told("GET", "sandbox"))["counters"]
        clock = await self.told("GET", "clock")
        deliveries = (await self.told("GET", "callbacks"))["deliveries"]
        balance = (await self.call("GET", BALANCE)).json()["data"]
        assert {task["task_id"] for task in tasks} == set(self.ids)
        assert {task["prompt"] for task in tasks} <= {f"{self.number}"}
        assert {entry["task_id"] for entry in entries} <= {*self.ids, None}
        assert len(entries) == 1 + 3 * len(self.ids)
        assert balance == pytest.approx(self.number - PRICE * len(self.ids))
        assert (counters["live_tasks"], counters["tasks"]["success"]) == (0, len(self.ids))
        assert {each["task_id"] for each in deliveries} == set(self.ids)
        assert clock["now_ms"] - began_ms == self.seconds * 1000


@pytest.fixture
def crowded() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


async def everybody(mock: RunningMock, url: str) -> list[Life]:
    places = asyncio.Semaphore(20)
    async with httpx.AsyncClient(
        base_url=mock.url, timeout=PATIENCE_S, trust_env=False, verify=False
    ) as http:
        lives = [Life(number, http, places) for number in range(1, KEYS + 1)]
        began_ms: dict[int, Any] = {}

        async def whole(life: Life) -> None:
            began_ms[life.number] = (await life.told("GET", "clock"))["now_ms"]
            await life.begin()
            await life.live(url)

        await asyncio.gather(*(whole(life) for life in lives))
        await asyncio.gather(*(life.check(began_ms[life.number]) for life in lives))
    return lives


@pytest.mark.deep
def test_many_sandboxes_do_not_mix(crowded: RunningMock, receiver: Receiver) -> None:
    lives = asyncio.run(everybody(crowded, receiver.url("/of")))

    came = [each.path for each in receiver.received]
    assert sorted(came) == sorted(f"/of/{life.number}" for life in lives for _ in life.ids)
    assert len(crowded.http.get("/_mock/sandboxes").json()["sandboxes"]) == KEYS
    assert crowded.http.delete("/_mock/sandboxes").status_code == 204
    assert crowded.http.get("/_mock/sandboxes").json() == {"sandboxes": []}
