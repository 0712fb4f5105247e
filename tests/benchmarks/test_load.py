"""The mock accepts the requests of the benchmarks, and no rule applies to them."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from benchmarks.burst import Burst, BurstReceiver, measure_burst
from benchmarks.errors import BenchError
from benchmarks.mock import Mock
from benchmarks.pipelined import submit_tasks
from benchmarks.processes import Server
from benchmarks.requests import status_request, submit_body
from benchmarks.rules import hundred_rules
from benchmarks.single import body_of
from mock_server._running import running
from mock_server.settings import Settings


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running(Settings(seed=1, rate_limit=1_000, max_concurrent=500)) as server:
        yield urlsplit(server.base_url).port or 0


@pytest.fixture
def mock(port: int, request: pytest.FixtureRequest) -> Mock:
    return Mock(server=Server(port=port, pid=0, start_s=0), key=request.node.name)


@pytest.mark.parametrize("count", [1, 99, 100, 101, 450])
def test_pipelined_submits_make_as_many_tasks(mock: Mock, count: int) -> None:
    task_ids = mock.submit(count)

    found = mock.control("GET", "tasks?limit=500")["tasks"]
    assert {task["task_id"] for task in found} == set(task_ids)
    assert len(task_ids) == count


def test_prompts_of_tasks_are_different_and_have_50_characters() -> None:
    prompts = {json.loads(submit_body(number))["input"]["prompt"] for number in (0, 7, 999_999)}

    assert {len(each) for each in prompts} == {50}
    assert len(prompts) == 3


def test_rejected_submit_is_an_error_that_shows_the_response(mock: Mock) -> None:
    with pytest.raises(BenchError, match="429"):
        submit_tasks(mock.server.port, 501, mock.key)


def test_none_of_the_hundred_rules_applies_to_a_status_request(mock: Mock) -> None:
    (task_id,) = mock.submit(1)
    mock.control("PUT", "rules", {"rules": hundred_rules()})

    for _ in range(5):  # Some rules skip the first request.
        body_of(mock.server.port, status_request([task_id], mock.key))

    rules = mock.control("GET", "rules")["rules"]
    assert len(rules) == 100
    assert [rule for rule in rules if rule["applied"]] == []


def test_request_that_is_rejected_is_an_error_with_its_path(mock: Mock) -> None:
    with pytest.raises(BenchError, match=r"statusTask.*404"):
        body_of(mock.server.port, status_request(["task_unknown"], mock.key))


def test_a_burst_ends_with_the_last_callback_and_measures_other_requests(mock: Mock) -> None:
    mock.control("PUT", "clock", {"mode": "manual"})

    async def measure() -> Burst:
        receiver = BurstReceiver()
        async with receiver.listening():
            url = f"{receiver.url}/callback"
            task_ids = mock.submit(20, callback_url=url)
            status = status_request(task_ids[:1], mock.key)

            def advance() -> None:
                mock.control("POST", "clock/advance", {"seconds": 3600})

            return await measure_burst(receiver, 20, advance, mock.server.port, status)

    burst = asyncio.run(measure())
    assert burst.duration_s > 0
    assert burst.latencies_ms == sorted(burst.latencies_ms)
    delivered = mock.control("GET", "callbacks")["deliveries"]
    assert [each["state"] for each in delivered] == ["delivered"] * 20
