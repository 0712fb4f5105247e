"""A batch has one result for each prompt, whatever happens to the others."""

import asyncio
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiTimeout,
    AsyncClient,
    AuthenticationError,
    BatchResult,
    Client,
    ContentViolation,
    Generation,
    InvalidRequest,
    ServerError,
    SubmissionUncertain,
    Task,
    TransportError,
    UnexpectedResponse,
    WaitTimeout,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    BASE_URL,
    KEY,
    Answer,
    OwnTimes,
    accepts,
    breaks,
    fails,
    operation_of,
    raw,
    says,
    succeeds,
    told,
)
from tests.client_reference.simulation import prompt_of
from tests.properties import examples

FATES: dict[str, tuple[Answer | None, Answer | None, type[Exception] | None]] = {
    "success": (None, None, None),
    "violation": (None, fails("CONTENT_VIOLATION"), ContentViolation),
    "refused": (says(400), None, InvalidRequest),
    "uncertain": (breaks(httpx.ReadTimeout), None, SubmissionUncertain),
    "unreachable": (breaks(httpx.ConnectError), None, TransportError),
    "garbage": (None, raw(200, b"<html>"), UnexpectedResponse),
    "trouble": (None, says(503), ServerError),
    "lost": (None, breaks(httpx.ReadTimeout), ApiTimeout),
    "never": (None, told("processing"), WaitTimeout),
    "": (None, None, ValueError),
    "x" * 10_001: (None, None, ValueError),
}
PLAIN = {fate for fate in FATES if 0 < len(fate) < 100}


class Crowd:
    """Treats each task as its prompt says; the task's id is the prompt."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if operation_of(request) == "submit":
            prompt = prompt_of(request)
            return (FATES[prompt.split()[0]][0] or accepts(prompt))(request)
        task_id = request.url.params["taskId"]
        end = FATES[task_id.split()[0]][1] or succeeds(task_id)
        if end in {FATES["violation"][1], FATES["never"][1]}:
            body = end(request).content.replace(b"task_1", task_id.encode())
            return httpx.Response(200, content=body)
        return end(request)


def many(driver: Driver, service: Answer, prompts: Any, **options: Any) -> Iterator[BatchResult]:
    client = driver.client(service, OwnTimes(), max_retries=1)
    return client.generate_many(prompts, **options)


@given(fates=st.lists(st.sampled_from(sorted(FATES)), max_size=12), concurrency=st.integers(1, 5))
@examples(50)
def test_batch_yields_one_result_for_each_prompt(
    driver: Driver, fates: list[str], concurrency: int
) -> None:
    prompts = [f"{fate} {number}" if fate in PLAIN else fate for number, fate in enumerate(fates)]

    results = list(many(driver, Crowd(), prompts, concurrency=concurrency))

    by_index = {result.index: result for result in results}
    assert len(results) == len(by_index) == len(prompts)
    for index, (fate, prompt) in enumerate(zip(fates, prompts, strict=True)):
        result = by_index[index]
        kind = FATES[fate][2]
        assert result.prompt == prompt
        assert (result.generation is None) == (kind is not None)
        assert kind is None or type(result.error) is kind


def test_batch_error_after_the_submit_has_its_task(driver: Driver) -> None:
    (result,) = many(driver, Crowd(), ["trouble 1"])

    assert isinstance(result.error, ServerError)
    assert result.error.task is not None
    assert result.error.task.id == "trouble 1"


def test_invalid_prompt_affects_no_other_prompt(driver: Driver) -> None:
    results = list(many(driver, Crowd(), ["success 1", None, "success 2"], concurrency=1))

    assert [type(result.error) for result in results] == [type(None), ValueError, type(None)]


def test_invalid_api_key_ends_a_batch_after_few_requests(driver: Driver) -> None:
    service = Crowd()
    refuse = says(401)

    def answer(request: httpx.Request) -> httpx.Response:
        service.requests.append(request)
        return refuse(request)

    results = list(many(driver, answer, ["a fox"] * 500, concurrency=4))

    assert len(results) == 500
    assert all(isinstance(result.error, AuthenticationError) for result in results)
    assert len(service.requests) <= 4
    assert len({id(result.error) for result in results}) == 500


@pytest.mark.parametrize("prompts", ["a fox", b"a fox", None, 7])
def test_generate_many_rejects_a_single_string(driver: Driver, prompts: object) -> None:
    with pytest.raises(ValueError, match=r"^prompts: "):
        many(driver, Crowd(), prompts)


@pytest.mark.parametrize("concurrency", [0, -1, 1001, 1.0, "5", True, None])
def test_invalid_concurrency_is_rejected(driver: Driver, concurrency: object) -> None:
    with pytest.raises(ValueError, match=r"^concurrency: .* 1 to 1000"):
        many(driver, Crowd(), [], concurrency=concurrency)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_prompts_are_read_only_when_a_place_is_free(driver: Driver, concurrency: int) -> None:
    taken: list[int] = []

    def prompts() -> Iterator[str]:
        for number in range(30):
            taken.append(number)
            yield f"success {number}"

    for given_out, _ in enumerate(many(driver, Crowd(), prompts(), concurrency=concurrency)):
        assert len(taken) <= given_out + 2 * concurrency

    assert len(taken) == 30


def test_batch_sends_nothing_before_its_first_result_is_requested(driver: Driver) -> None:
    service = Crowd()

    many(driver, service, ["success 1"])

    assert service.requests == []


def test_error_of_the_prompts_is_raised_after_results_in_progress(driver: Driver) -> None:
    def prompts() -> Iterator[str]:
        yield from ("success 1", "violation 2", "success 3")
        raise KeyError("no more")

    results = many(driver, Crowd(), prompts(), concurrency=5)
    succeeded = {result.index: result.generation is not None for result in islice(results, 3)}

    assert succeeded == {0: True, 1: False, 2: True}
    with pytest.raises(KeyError, match="no more"):
        next(results)


@pytest.mark.parametrize("state", ["pending", "success"])
def test_error_of_on_update_is_raised_after_results_in_progress(driver: Driver, state: str) -> None:
    service, seen = Crowd(), list[Task]()

    def refuse(task: Task) -> None:
        seen.append(task)
        if task.state == state:
            raise KeyError(task.id)

    prompts = [f"success {number}" for number in range(9)]
    results = many(driver, service, prompts, concurrency=1, on_update=refuse)

    assert next(results).generation
    with pytest.raises(KeyError, match="success"):
        next(results)
    assert [task.state for task in seen] == ["pending", "success"][: len(seen)]
    assert seen[-1].state == state
    assert len(_submits(service)) == 1


def _submits(service: Crowd) -> list[httpx.Request]:
    return [request for request in service.requests if request.method == "POST"]


def test_on_update_of_a_batch_gets_each_response(driver: Driver) -> None:
    seen: list[Task] = []

    list(many(driver, Crowd(), ["success 1", "violation 2"], on_update=seen.append))

    told_of = sorted((task.id, task.state) for task in seen)
    assert told_of == [
        ("success 1", "pending"),
        ("success 1", "success"),
        ("violation 2", "failed"),
        ("violation 2", "pending"),
    ]


def test_batch_options_apply_to_every_prompt(driver: Driver) -> None:
    service = Crowd()

    list(many(driver, service, ["success 1", "success 2"], aspect_ratio="3:2", num_images=2))

    bodies = [request.content for request in _submits(service)]
    assert len(bodies) == 2
    assert all(b'"3:2"' in body and b'"num_images": 2' in body for body in bodies)


def test_image_urls_from_a_generator_reach_every_prompt(driver: Driver) -> None:
    service = Crowd()
    image_urls = (f"http://host/{number}.png" for number in range(2))

    list(many(driver, service, ["success 1", "success 2"], image_urls=image_urls))

    assert [b"http://host/1.png" in request.content for request in _submits(service)] == [
        True,
        True,
    ]


def test_batch_result_has_either_a_generation_or_an_error() -> None:
    generation = Generation(task=Task(id="task_1"), urls=())

    with pytest.raises(ValueError, match="either"):
        BatchResult(index=0, prompt="a fox")
    with pytest.raises(ValueError, match="either"):
        BatchResult(index=0, prompt="a fox", generation=generation, error=ValueError())


def _join_workers() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("generate_many"):
            thread.join(60)
            assert not thread.is_alive()


def test_closing_a_batch_ends_its_threads_at_once() -> None:
    """The workers are in the middle of their first 20 seconds, of real time."""
    service = Crowd()
    client = Client(KEY, BASE_URL, transport=httpx.MockTransport(service))
    results = client.generate_many(["success 1", "success 2", "refused 3"], concurrency=3)

    assert next(results).prompt == "refused 3"
    results.close()
    _join_workers()

    assert {request.method for request in service.requests} == {"POST"}


async def _broken_off(service: Crowd) -> BatchResult:
    client = AsyncClient(KEY, BASE_URL, transport=httpx.MockTransport(service))
    results = client.generate_many(["success 1", "success 2", "refused 3"], concurrency=3)
    first = await anext(results)
    async with asyncio.timeout(60):
        await results.aclose()
    assert len(asyncio.all_tasks()) == 1
    return first


def test_closing_an_async_batch_cancels_its_tasks() -> None:
    service = Crowd()

    assert asyncio.run(_broken_off(service)).prompt == "refused 3"
    assert {request.method for request in service.requests} == {"POST"}


def test_closed_batch_submits_no_further_prompts(driver: Driver) -> None:
    service = Crowd()
    results = many(driver, service, [f"success {n}" for n in range(100)], concurrency=2)

    next(results)
    results.close()  # type: ignore[attr-defined]  # as above
    _join_workers()

    assert len(_submits(service)) <= 2
