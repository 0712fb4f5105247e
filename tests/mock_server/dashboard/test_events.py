"""Server-sent events report the changes of a sandbox as they happen."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from mock_server.control.authentication import Authenticator
from mock_server.control.browser_guard import BrowserGuard
from mock_server.control.event_stream import MAX_WAITING, EventStream
from mock_server.control.resources.events import EventsResource
from mock_server.domain.commands import RecordExchange
from mock_server.settings import Settings
from mock_server.testing.receiver import CallbackReceiver
from mock_server.web.origins import Origins
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock, running
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


class EventReader:
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


def test_stream_reports_a_task_from_submit_to_callback(mock: RunningMock) -> None:
    api = Api(mock.http, "events-1")
    headers = {"Authorization": f"Bearer {api.key}"}
    with (
        CallbackReceiver.listening() as receiver,
        mock.http.stream("GET", "/_mock/events", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        reader = EventReader(answer)
        task_id = api.submit(callback_url=receiver.url)
        assert reader.until("request")["operation"] == "submit"
        assert reader.until("submit")["task_id"] == task_id
        api.advance(5)
        assert reader.until("clock")["now_ms"] == api.now_ms()
        assert reader.until("transition")["to"] == "processing"
        api.advance("5m")
        assert reader.until("callback")["status"] == 200
        api.submit("another")
        assert reader.until("submit")["task_id"] != task_id
    assert api.key not in answer.headers.values()


def test_stream_reports_the_end_of_a_task_on_a_real_clock(mock: RunningMock) -> None:
    api = Api(mock.http, "events-2")
    task_id = api.submit()
    api.go_real(speed=20_000)
    headers = {"Authorization": f"Bearer {api.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        reader = EventReader(answer)
        api.submit("a second one")
        told = reader.until("transition")
        while told["to"] != "success":
            told = reader.until("transition")

    assert api.status(task_id)["state"] == "success"


def test_stream_ends_when_the_server_stops() -> None:
    with ExitStack() as stack:
        with running(Settings(clock="manual")) as mock:
            key = {"Authorization": "Bearer events-5"}
            answer = stack.enter_context(
                httpx.stream("GET", f"{mock.url}/_mock/events", headers=key)
            )
            lines = answer.iter_lines()
            assert next(lines) == ": listening"
        assert list(lines) == [""]


def test_stream_ends_when_its_sandbox_is_deleted(mock: RunningMock) -> None:
    api = Api(mock.http, "events-6")
    headers = {"Authorization": f"Bearer {api.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": listening"
        mock.http.delete("/_mock/sandboxes")

        assert "event: dropped" in list(lines)


def test_stream_reports_nothing_of_another_api_key(mock: RunningMock) -> None:
    mine, other = Api(mock.http, "events-3"), Api(mock.http, "events-4")
    headers = {"Authorization": f"Bearer {mine.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        reader = EventReader(answer)
        other.submit()
        task_id = mine.submit()

        assert reader.until("submit")["task_id"] == task_id


def test_each_transition_event_has_its_own_instant(mock: RunningMock) -> None:
    api = Api(mock.http, "events-7")
    headers = {"Authorization": f"Bearer {api.key}"}
    with mock.http.stream("GET", "/_mock/events", headers=headers) as answer:
        reader = EventReader(answer)
        task_id = api.submit()
        api.advance("5m")
        told = [reader.until("transition") for _ in range(2)]

    plan = api.task(task_id)["plan"]
    assert [(each["to"], each["at_ms"]) for each in told] == [
        ("processing", plan["start_ms"]),
        ("success", plan["end_ms"]),
    ]


def test_no_event_contains_the_api_key(mock: RunningMock) -> None:
    api = Api(mock.http, "sk-a-secret-key")
    headers = {"Authorization": f"Bearer {api.key}"}
    with (
        CallbackReceiver.listening() as receiver,
        mock.http.stream("GET", "/_mock/events", headers=headers) as answer,
    ):
        reader = EventReader(answer)
        api.submit(f"draw {api.key}", callback_url=f"{receiver.url}?key={api.key}")
        api.advance("5m")
        told = [reader.until(kind) for kind in ("request", "submit", "request", "callback")]

    assert told[-1]["request"]["path"] == f"{receiver.url}?key=[redacted]"
    assert api.key not in json.dumps(told)


def test_head_of_events_ends_at_once(mock: RunningMock) -> None:
    headers = {"Authorization": "Bearer events-8"}

    head = mock.http.head("/_mock/events", headers=headers)

    assert head.headers["content-type"].startswith("text/event-stream")
    assert mock.http.get("/_mock/health").is_success


def test_stream_sends_only_heartbeats_while_a_task_waits_for_status_requests() -> None:
    told = asyncio.run(first_three_parts(prompt="slow [[mock pending=0 polls=9]]"))

    assert told == [": listening", ": heartbeat", ": heartbeat"]


def test_slow_reader_is_told_how_many_changes_it_lost() -> None:
    told = asyncio.run(first_three_parts(unread=MAX_WAITING + 7))

    assert told[:2] == [": listening", ": 7 older changes were lost"]
    assert told[2].startswith("id: 9\n")  # the submit was the first entry


async def first_three_parts(prompt: str = "a fox", unread: int = 0) -> list[str]:
    """Return the first events or comments of a stream, with heartbeats if there are no events."""
    app = MockServer(Settings(clock="manual", seed=5))
    headers = {"Authorization": "Bearer events-9"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers
    ) as http:
        answer = await http.post(SUBMIT, json={"input": {"prompt": prompt}})
        answer.raise_for_status()
    (sandbox,) = await app._store.sandboxes()
    ((_, entry),) = sandbox.entries()
    record = RecordExchange(real_ms=app._responder.now_ms(), entry=entry)
    resource = EventsResource(app._store, authenticator_of(app), real_ms=app._responder.now_ms)
    heartbeat_s = PATIENCE_S if unread else 0.001
    events = EventStream(resource.feed(sandbox), heartbeat_s=heartbeat_s).events()
    told = [await anext(events)]
    for _ in range(unread):
        await app._store.execute(sandbox.id, record)
    async with asyncio.timeout(PATIENCE_S):
        told += [await anext(events) for _ in range(2)]
    await events.aclose()
    return [part for each in told for part in each.decode().strip().split("\n\n")]


def authenticator_of(app: MockServer) -> Authenticator:
    guard = BrowserGuard(is_open=True, origins=Origins(()), secret=bytes)
    return Authenticator(
        app._store,
        app._api_keys,
        guard,
        real_ms=app._responder.now_ms,
        host="127.0.0.1",
        admin_token=None,
    )
