"""Under `hostile` the reference clients always get through, and meet something on the way."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest

from client_reference import AsyncClient, Client
from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Receiver
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S
from tests.properties import scale

PROMPTS = [f"fox {number}" for number in range(5)]
SEEDS = range(1, 1 + min(5, scale(8)))  # two, or five in a deep run


def hostile(serve: Serve, seed: int) -> tuple[RunningMock, Api]:
    mock = serve(Settings(clock="manual", seed=seed, profile="hostile"))
    return mock, mock.api("a-key-of-a-hostile-server")


def moved(api: Api, seconds: float) -> None:
    if seconds > 0:
        api.advance(seconds)


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
def test_the_client_for_ordinary_code_does(serve: Serve, seed: int, tmp_path: Path) -> None:
    mock, api = hostile(serve, seed)
    with Client(
        api.key,
        mock.url,
        clock=lambda: api.now_ms() / 1000,
        sleep=lambda seconds: moved(api, seconds),
    ) as client:
        for prompt in PROMPTS:
            assert len(client.download(client.generate(prompt), tmp_path)) == 1
        client.balance()

    assert_hostile(api)


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
def test_the_client_for_asyncio_does(serve: Serve, seed: int, tmp_path: Path) -> None:
    mock, api = hostile(serve, seed)

    async def sleep(seconds: float) -> None:
        await asyncio.to_thread(moved, api, seconds)

    async def live() -> None:
        async with (
            httpx.AsyncClient(verify=False, timeout=PATIENCE_S) as http,
            AsyncClient(
                api.key,
                mock.url,
                http_client=http,
                clock=lambda: api.now_ms() / 1000,
                sleep=sleep,
            ) as client,
        ):
            for prompt in PROMPTS:
                generation = await client.generate(prompt)
                assert len(await client.download(generation, tmp_path)) == 1
            await client.balance()

    asyncio.run(live())

    assert_hostile(api)


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
def test_each_callback_comes_true_once_or_twice_whatever_else(
    serve: Serve, receiver: Receiver, seed: int
) -> None:
    _, api = hostile(serve, seed)
    ids = [submitted(api, prompt, receiver.url()) for prompt in PROMPTS * 3]
    api.advance("1d")

    told = Counter(json.loads(each.body)["data"]["taskId"] for each in receiver.received)
    assert told.keys() == set(ids)
    assert set(told.values()) == {1, 2}
    assert {json.loads(each.body)["data"]["state"] for each in receiver.received} == {"success"}
    assert {each["state"] for each in api.deliveries()} == {"delivered"}


def submitted(api: Api, prompt: str, callback_url: str) -> str:
    """Submit as often as it takes; a 503 never answers a submit."""
    order = {"request_type": "callback", "callback_url": callback_url, "input": {"prompt": prompt}}
    for _ in range(5):
        answer = api.try_submit(order)
        if answer.status_code == 200:
            task_id: str = answer.json()["data"]["taskId"]
            return task_id
        assert answer.status_code == 429
    raise AssertionError("five tries are enough for everyone")


def assert_hostile(api: Api) -> None:
    """See that it was no calm sea: refusals of more than one kind, but none counted as a task."""
    entries = api.told("GET", "journal")["entries"]
    faults = Counter(each["fault"] for each in entries)
    assert faults["refuse 429"] > 0
    assert len(faults) > 3
    assert len(api.told("GET", "tasks")["tasks"]) == len(PROMPTS)


def test_the_same_seed_is_as_hostile_again(serve: Serve) -> None:
    stories = []
    for _ in range(2):
        _, api = hostile(serve, 3)
        ids = [api.try_submit({"input": {"prompt": prompt}}).status_code for prompt in PROMPTS * 4]
        faults = [each["fault"] for each in api.told("GET", "journal")["entries"]]
        stories.append((ids, faults))

    assert stories[0] == stories[1]


def test_all_three_forms_of_retry_after_are_met(serve: Serve) -> None:
    _, api = hostile(serve, 1)
    answers = [api.try_submit({"input": {"prompt": f"fox {number}"}}) for number in range(100)]

    refused = [answer.headers.get("retry-after") for answer in answers if answer.is_error]
    dates = {each for each in refused if each is not None and each.endswith(" GMT")}
    assert {*refused} == {None, "1", *dates}
    assert dates
    assert {answer.status_code for answer in answers} == {200, 429}
