"""The journal as HAR 1.2."""

import msgspec
import pytest

from mock_server.control.har import har
from mock_server.control.journal_entry import EntryAnswer, EntryRequest, JournalEntry
from mock_server.domain.operation import Operation

SUBMIT = JournalEntry(
    seq=3,
    at_ms=0,
    real_ms=1_000_500,
    operation=Operation.SUBMIT,
    task_id="task_1",
    status=429,
    client_status=429,
    duration_ms=2.5,
    rule="rule-1",
    fault="refuse",
    injected=(),
    error=None,
    request=EntryRequest(
        method="POST",
        path="/api?x=1&y=",
        headers=[("Host", "mock:8080"), ("Content-Type", "text/json")],
        body="{}",
        is_cut=False,
    ),
    answer=EntryAnswer(
        status=429, headers=[("Retry-After", "7")], body='{"code":429}', body_bytes=12
    ),
)
CALLBACK = JournalEntry(
    seq=4,
    at_ms=0,
    real_ms=0,
    operation=Operation.CALLBACK,
    task_id="task_1",
    status=None,
    client_status=None,
    duration_ms=0,
    rule=None,
    fault=None,
    injected=(),
    error="timed out",
    request=EntryRequest(
        method="POST", path="http://receiver/hook", headers=[], body="", is_cut=False
    ),
    answer=None,
)


def test_har_has_request_answer_and_times_of_an_exchange() -> None:
    (entry,) = har([SUBMIT]).log.entries

    assert entry.started == "1970-01-01T00:16:40.500Z"
    assert (entry.time, entry.timings.wait) == (2.5, 2.5)
    assert entry.comment == "submit 3; rule rule-1; fault refuse"
    request, response = entry.request, entry.response
    assert request.url == "http://mock:8080/api?x=1&y="
    assert [(each.name, each.value) for each in request.query_string] == [("x", "1"), ("y", "")]
    assert request.post_data
    assert (request.post_data.mime_type, request.post_data.text) == ("text/json", "{}")
    assert (response.status, response.status_text) == (429, "Too Many Requests")
    assert response.content.text == '{"code":429}'
    assert [(each.name, each.value) for each in response.headers] == [("Retry-After", "7")]


def test_har_of_a_callback_without_an_answer_has_its_error() -> None:
    (entry,) = har([CALLBACK]).log.entries

    assert entry.request.url == "http://receiver/hook"
    assert (entry.response.status, entry.response.headers) == (0, [])
    assert entry.comment == "callback 4; error timed out"


@pytest.mark.parametrize("url", ["http://[:]/?x=1#y?z=2", "http://[?x=1", "http://a:b:c?x=1"])
def test_har_has_the_query_of_a_url_with_an_invalid_host(url: str) -> None:
    """The contract of a callback URL does not say which addresses in brackets are valid."""
    request = msgspec.structs.replace(CALLBACK.request, path=url)
    (entry,) = har([msgspec.structs.replace(CALLBACK, request=request)]).log.entries

    assert entry.request.url == url
    assert [(each.name, each.value) for each in entry.request.query_string] == [("x", "1")]
