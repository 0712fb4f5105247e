"""A reader that reconnects with `Last-Event-ID` gets what it has missed."""

import json
from collections.abc import Iterator

import pytest

from tests.mock_server.e2e.api import Api, Json

Event = tuple[str, Json]


def events(api: Api, last_id: str | None = None) -> Iterator[Event]:
    """Open a stream; return an iterator over the kind and the data of each event.

    The number of an event comes before it, as an event of the kind `id`.
    """
    stream = _events(api, {} if last_id is None else {"Last-Event-ID": last_id})
    assert next(stream)[0] == "listening"
    return stream


def _events(api: Api, headers: dict[str, str]) -> Iterator[Event]:
    headers |= {"Authorization": f"Bearer {api.key}"}
    with api.http.stream("GET", "/_mock/events", headers=headers) as answer:
        lines = answer.iter_lines()
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "id":
                yield "id", {"number": int(value)}
            elif name == "event":
                yield value, json.loads(next(lines).removeprefix("data: "))
            elif not name and value:
                yield value, {}


def take(stream: Iterator[Event], kind: str, count: int) -> list[Json]:
    found = (data for each, data in stream if each == kind)
    return [next(found) for _ in range(count)]


def numbers(stream: Iterator[Event], count: int) -> list[int]:
    return [each["number"] for each in take(stream, "id", count)]


@pytest.mark.parametrize("seen", [1, 2, 4])
def test_resumed_stream_reports_each_exchange_after_the_last_one_once(api: Api, seen: int) -> None:
    for _ in range(4):
        api.submit()

    stream = events(api, str(seen))
    api.submit()

    assert numbers(stream, 5 - seen) == list(range(seen + 1, 6))


def test_stream_without_that_header_begins_now(api: Api) -> None:
    api.submit()
    stream = events(api)
    api.submit()

    assert numbers(stream, 1) == [2]


def test_resumed_stream_reports_the_transitions_since_the_last_exchange(api: Api) -> None:
    before = api.submit()
    api.balance()
    after = api.submit()
    api.advance("5m")

    told = take(events(api, "2"), "transition", 4)

    assert {(each["task_id"], each["to"]) for each in told} == {
        (task, state) for task in (before, after) for state in ("processing", "success")
    }


def test_resumed_stream_of_a_sandbox_that_was_reset_says_so(api: Api) -> None:
    for _ in range(3):
        api.submit()
    api.control("DELETE", "sandbox")
    task = api.submit()

    stream = events(api, "3")

    assert next(stream)[0] == "dropped"
    assert take(stream, "submit", 1)[0]["task_id"] == task


def test_resumed_stream_says_how_much_is_lost(api: Api) -> None:
    for _ in range(2):
        api.balance()
    snapshot = api.told("GET", "sandbox/snapshot")
    api.control("PUT", "sandbox/snapshot", snapshot | {"journal_dropped": 10})

    stream = events(api, "5")

    assert next(stream)[0] == "5 older changes were lost"
    assert numbers(stream, 2) == [11, 12]


@pytest.mark.parametrize("last_id", ["", "junk", "-1", "1.5", "9" * 5000])
def test_id_of_another_server_is_ignored(api: Api, last_id: str) -> None:
    api.submit()
    stream = events(api, last_id)
    api.submit()

    assert numbers(stream, 1) == [2]
