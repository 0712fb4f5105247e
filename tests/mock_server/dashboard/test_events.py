"""Server-sent events: what happens in a sandbox, as it happens."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from mock_server.settings import Settings
from mock_server.testing.receiver import CallbackReceiver
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock, running


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


class Heard:
    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        assert next(self._lines) == ": listening"

    def until(self, kind: str) -> Json:
        """Return the data of the next event of this kind."""
        for line in self._lines:
            if line == f"event: {kind}":
                data: Json = json.loads(next(self._lines).removeprefix("data: "))
                return data
        raise AssertionError(f"the stream ended before {kind}")


def test_a_task_is_followed_from_submit_to_callback(mock: RunningMock) -> None:
    api = Api(mock.http, "events-1")
    headers = {"Authorization": f"Bearer {api.key}"}
    with (
        CallbackReceiver.listening() as receiver,
        mock.http.stream("GET", "/_mock/events", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = Heard(answer)
        task_id = api.submit(callback_url=receiver.url)
        assert heard.until("request")["operation"] == "submit"
        assert heard.until("submit")["task_id"] == task_id
        api.advance(5)
        assert heard.until("clock")["now_ms"] == api.now_ms()
        assert heard.until("transition")["to"] == "processing"
        api.advance("5m")
        assert heard.until("callback")["status"] == 200
        api.submit("another")
        assert heard.until("submit")["task_id"] != task_id
    assert api.key not in answer.headers.values()


def test_the_end_of_a_task_is_told_when_time_moves_by_itself(mock: RunningMock) -> None:
    api = Api(mock.http, "events-2")
    task_id = api.submit()
    api.go_real(speed=20_000)
    headers = {"Authorization": f"Bearer {api.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        heard = Heard(answer)
        api.submit("a second one")
        told = heard.until("transition")
        while told["to"] != "success":
            told = heard.until("transition")

    assert api.status(task_id)["state"] == "success"


def test_a_stream_ends_when_the_server_stops() -> None:
    with ExitStack() as stack:
        with running(Settings(clock="manual")) as mock:
            key = {"Authorization": "Bearer events-5"}
            answer = stack.enter_context(
                httpx.stream("GET", f"{mock.url}/_mock/events", headers=key)
            )
            lines = answer.iter_lines()
            assert next(lines) == ": listening"
        assert list(lines) == [""]


def test_a_stream_ends_when_its_sandbox_is_dropped_for_good(mock: RunningMock) -> None:
    api = Api(mock.http, "events-6")
    headers = {"Authorization": f"Bearer {api.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": listening"
        mock.http.delete("/_mock/sandboxes")

        assert "event: dropped" in list(lines)


def test_one_key_hears_nothing_of_another(mock: RunningMock) -> None:
    mine, other = Api(mock.http, "events-3"), Api(mock.http, "events-4")
    headers = {"Authorization": f"Bearer {mine.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        heard = Heard(answer)
        other.submit()
        task_id = mine.submit()

        assert heard.until("submit")["task_id"] == task_id
