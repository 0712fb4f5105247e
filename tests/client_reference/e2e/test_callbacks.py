"""Callbacks that arrive in time, late, twice, early or never."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from client_reference import CallbackReceiver, Client, ContentViolation
from tests.client_reference.driver import Driver
from tests.client_reference.e2e.conftest import MockTime
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Answer, Receiver, receiving
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
def in_between() -> Iterator[Receiver]:
    """Stand between the mock and the client's receiver."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def status_requests(api: Api, task_id: str) -> int:
    return sum(each["kind"] == "status" for each in api.task(task_id)["timeline"])


def test_callback_replaces_polling(client: Client, api: Api, receiver: CallbackReceiver) -> None:
    generation = client.generate("a fox", num_images=2, via="callback", receiver=receiver)

    assert len(generation.urls) == 2
    assert status_requests(api, generation.task.id) == 0
    assert client.status(generation.task.id) == generation.task


def test_failure_arrives_by_callback(client: Client, api: Api, receiver: CallbackReceiver) -> None:
    with pytest.raises(ContentViolation) as failure:
        client.generate("a fox [[mock fail=CONTENT_VIOLATION]]", via="callback", receiver=receiver)

    assert failure.value.task is not None
    assert status_requests(api, failure.value.task.id) == 0


def test_lost_callback_is_replaced_by_polling(
    client: Client, api: Api, time: MockTime, closed_port: int
) -> None:
    nowhere = CallbackReceiver(public_url=f"http://127.0.0.1:{closed_port}")
    began_s = time.clock()

    generation = client.generate("a fox", via="callback", receiver=nowhere)

    task_id = generation.task.id
    assert time.clock() - began_s == pytest.approx(60)
    assert status_requests(api, task_id) == 1
    assert {each["status"] for each in api.delivery(task_id)["attempts"]} == {None}


def test_duplicate_callback_counts_once(
    client: Client, api: Api, receiver: CallbackReceiver, in_between: Receiver
) -> None:
    answers: list[int] = []

    def lose_the_first_answer(body: bytes) -> Answer:
        answers.append(api.http.post(receiver.url, content=body).status_code)
        return Answer(status=500 if len(answers) == 1 else 200)

    in_between.choose = lose_the_first_answer
    generation = client.generate(
        "a fox", via="callback", receiver=receiver, callback_url=in_between.url()
    )
    first = receiver.received(generation.task.id)
    api.advance("1m")

    assert answers == [200, 200]
    assert [each["status"] for each in api.delivery(generation.task.id)["attempts"]] == [500, 200]
    assert receiver.received(generation.task.id) is first


def test_callback_before_the_submit_response_is_not_lost(
    driver: Driver, mock: RunningMock, api: Api, time: MockTime, receiver: CallbackReceiver
) -> None:
    def answer_late(request: httpx.Request) -> httpx.Response:
        answer = api.http.request(
            request.method, request.url, content=request.content, headers=request.headers
        )
        api.advance("1m")
        return httpx.Response(answer.status_code, content=answer.content)

    client = driver.over(httpx.MockTransport(answer_late), time, api.key, mock.url)
    generation = client.generate("a fox", via="callback", receiver=receiver)
    client.close()

    assert len(generation.urls) == 1
    assert time.slept_s == 0
    assert status_requests(api, generation.task.id) == 0


def test_callback_before_wait_for_is_kept(
    client: Client, api: Api, driver: Driver, receiver: CallbackReceiver
) -> None:
    task = client.submit("a fox", callback_url=receiver.url)
    api.advance("1m")

    ended = driver.run(receiver.wait_for(task.id, timeout=PATIENCE_S))

    assert ended == client.status(task.id)


def test_task_that_ends_at_once_also_has_a_callback(
    client: Client, api: Api, receiver: CallbackReceiver
) -> None:
    api.change(generation_time=0)

    generation = client.generate("a fox", via="callback", receiver=receiver)

    assert status_requests(api, generation.task.id) == 0
