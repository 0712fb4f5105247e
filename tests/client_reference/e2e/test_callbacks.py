"""The end of a task told by callback: in time, lost, twice, early."""

from collections.abc import Iterator

import pytest

from client_reference import CallbackReceiver, Client, ContentViolation, Task
from tests.client_reference.e2e.conftest import MockTime
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture
def foreign() -> Iterator[Receiver]:
    """Receive in the client's place."""
    with receiving() as receiver:
        yield receiver


class Told:
    """A receiver whose address is another's, and which has been told what it is told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told: dict[str, Task] = {}

    def received(self, task_id: str) -> Task | None:
        return self.told.get(task_id)


def status_requests(api: Api, task_id: str) -> int:
    return sum(each["kind"] == "status" for each in api.task(task_id)["timeline"])


def test_a_callback_spares_all_polling(
    client: Client, api: Api, receiver: CallbackReceiver
) -> None:
    generation = client.generate("a fox", num_images=2, via="callback", receiver=receiver)

    assert len(generation.urls) == 2
    assert status_requests(api, generation.task.id) == 0
    assert client.status(generation.task.id) == generation.task


def test_a_failure_comes_by_callback_too(client: Client, receiver: CallbackReceiver) -> None:
    with pytest.raises(ContentViolation):
        client.generate("a fox [[mock fail=CONTENT_VIOLATION]]", via="callback", receiver=receiver)


def test_a_lost_callback_is_made_up_for_by_polling(
    client: Client, api: Api, time: MockTime, foreign: Receiver
) -> None:
    foreign.answer(500, 500, 500, 500)
    began_s = time.clock()

    generation = client.generate("a fox", via="callback", receiver=Told(foreign.url()))

    assert time.clock() - began_s == pytest.approx(60)
    assert status_requests(api, generation.task.id) == 1


def test_a_callback_that_comes_twice_counts_once(
    client: Client, api: Api, receiver: CallbackReceiver, foreign: Receiver
) -> None:
    generation = client.generate("a fox", via="callback", receiver=receiver)
    body = client_body(api, generation.task.id)

    answers = [api.http.post(receiver.url, content=body).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert receiver.received(generation.task.id) == client.status(generation.task.id)


def test_a_callback_before_the_answer_to_the_submit_is_not_lost(
    client: Client, api: Api, receiver: CallbackReceiver
) -> None:
    api.change(generation_time=0)

    generation = client.generate("a fox", via="callback", receiver=receiver)

    assert status_requests(api, generation.task.id) == 0


def client_body(api: Api, task_id: str) -> bytes:
    """Return what the mock has posted: what a status request is answered."""
    return api.ask(task_id).content
