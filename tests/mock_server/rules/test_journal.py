"""The journal over HTTP: filters, counting, waiting, export; never a key."""

import threading
from datetime import datetime

import pytest

from tests.mock_server.e2e.api import SUBMIT, Api, Json
from tests.patience import PATIENCE_S


def entries(api: Api, query: str = "") -> list[Json]:
    found: list[Json] = api.told("GET", f"journal?{query}" if query else "journal")["entries"]
    return found


def test_an_entry_holds_the_whole_exchange_without_the_key(api: Api) -> None:
    secret = api.key
    api.send(
        "POST", SUBMIT, body={"input": {"prompt": f"my key is {secret}"}},
        headers={"Cookie": f"session={secret}", "X-Other": f"{secret}!"},
    )  # fmt: skip
    raw = api.control("GET", "journal").text
    [entry] = entries(api)

    assert secret not in raw
    assert secret not in api.control("GET", "journal?format=har").text
    assert entry["request"]["method"] == "POST"
    assert entry["request"]["path"] == SUBMIT
    assert ["authorization", "Bearer [redacted]"] in entry["request"]["headers"]
    assert "my key is [redacted]" in entry["request"]["body"]
    assert entry["answer"]["status"] == entry["status"] == 200
    assert entry["task_id"] in entry["answer"]["body"]


def test_a_snapshot_holds_no_key(api: Api) -> None:
    api.send(
        "POST", f"{SUBMIT}?k={api.key}", body={"input": {"prompt": "a fox"}, "more": api.key},
        headers={"X-Other": f"{api.key}!"},
    )  # fmt: skip

    assert api.key not in api.control("GET", "sandbox/snapshot").text


def test_filters_choose_by_operation_task_and_number(api: Api) -> None:
    first, second = api.submit(), api.submit()
    api.status(first)
    api.status(second)
    api.balance()

    assert [each["seq"] for each in entries(api)] == [1, 2, 3, 4, 5]
    assert [each["seq"] for each in entries(api, "operation=status")] == [3, 4]
    assert [each["seq"] for each in entries(api, f"task={second}")] == [2, 4]
    assert [each["seq"] for each in entries(api, "since=2&limit=2")] == [3, 4]
    assert [each["seq"] for each in entries(api, "limit=2")] == [4, 5]
    assert api.told("POST", "journal/count", {"operation": "submit", "since": 1}) == {"count": 1}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("operation=submitt", 'operation: "submitt" is unknown; did you mean "submit"?'),
        ("since=-1", 'since: must be a whole number, at least 0 (got "-1")'),
        ("limit=0", "limit: must be a whole number, at least 1 (got 0)"),
        ("form=har", 'form: is unknown; did you mean "format"?'),
        ("format=hat", 'format: "hat" is unknown; did you mean "har"?'),
    ],
)
def test_a_wrong_filter_is_named(api: Api, query: str, problem: str) -> None:
    answer = api.control("GET", f"journal?{query}")

    assert (answer.status_code, answer.json()["data"]["error"]) == (400, problem)


def test_waiting_ends_with_the_request_that_another_makes(api: Api) -> None:
    waited: list[Json] = []
    thread = threading.Thread(
        target=lambda: waited.append(
            api.told("GET", f"journal/wait?operation=balance&count=2&timeout={PATIENCE_S}")
        )
    )
    thread.start()
    api.balance()
    api.balance()
    thread.join(PATIENCE_S)

    assert [entry["operation"] for entry in waited[0]["entries"]] == ["balance", "balance"]


def test_waiting_in_vain_says_what_was_seen(api: Api) -> None:
    api.balance()

    answer = api.control("GET", "journal/wait?operation=balance&count=2&timeout=10ms")

    assert answer.status_code == 408
    assert answer.json()["data"]["error"] == "count: 1 of 2 entries after 0.01 s"
    assert len(answer.json()["entries"]) == 1


def test_waiting_for_a_task_follows_its_clock(api: Api) -> None:
    task_id = api.submit()
    assert api.control("GET", f"tasks/{task_id}/wait?state=success&timeout=1ms").status_code == 408

    api.go_real(speed=10_000)
    ended = api.told("GET", f"tasks/{task_id}/wait?state=success&timeout={PATIENCE_S}")

    assert ended["state"] == "success"


def test_waiting_ends_when_time_is_moved_or_the_task_is_finished(api: Api) -> None:
    ids = [api.submit(), api.submit("[[mock hold]]")]
    waited: list[str] = []
    threads = [
        threading.Thread(
            target=lambda task_id=each: waited.append(
                api.told("GET", f"tasks/{task_id}/wait?timeout={PATIENCE_S}")["state"]
            )
        )
        for each in ids
    ]
    for thread in threads:
        thread.start()
    api.advance("5m")
    api.finish(ids[1], state="failed")
    for thread in threads:
        thread.join(PATIENCE_S)

    assert sorted(waited) == ["failed", "success"]


def test_waiting_ends_when_everything_is_dropped(api: Api) -> None:
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.append(
            api.control("GET", f"journal/wait?count=9&timeout={PATIENCE_S}").status_code
        )
    )
    thread.start()
    while thread.is_alive():
        api.control("DELETE", "sandbox")
        thread.join(0.01)

    assert statuses == [408]


def test_the_archive_has_all_that_har_asks_for(api: Api) -> None:
    task_id = api.submit("a fox & a <b>")
    api.status(task_id)
    log = api.told("GET", "journal?format=har")["log"]

    assert (log["version"], set(log["creator"])) == ("1.2", {"name", "version"})
    for entry in log["entries"]:
        datetime.fromisoformat(entry["startedDateTime"])
        assert {"send", "wait", "receive"} <= set(entry["timings"])
        assert entry["time"] == sum(entry["timings"].values())
        assert {
            "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize",
            "bodySize",
        } <= set(entry["request"])  # fmt: skip
        assert {
            "status", "statusText", "httpVersion", "cookies", "headers", "content",
            "redirectURL", "headersSize", "bodySize",
        } <= set(entry["response"])  # fmt: skip
        assert {"size", "mimeType"} <= set(entry["response"]["content"])
    submitted, asked = log["entries"]
    assert "a fox & a <b>" in submitted["request"]["postData"]["text"]
    assert asked["request"]["queryString"] == [{"name": "taskId", "value": task_id}]


@pytest.mark.parametrize("written", ["{key}", "{quoted}"], ids=["as it is", "percent-encoded"])
def test_a_key_in_a_callbacks_address_is_hidden(api: Api, written: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in api.key.encode())
    address = f"http://127.0.0.1:9/hook?key={written.format(key=api.key, quoted=quoted)}"
    api.submit(callback_url=address)
    api.advance("5m")

    for path in ("journal", "journal?format=har", "callbacks", "sandbox/snapshot"):
        text = api.control("GET", path).text
        assert api.key not in text
        assert quoted not in text
    assert "/hook?key=[redacted]" in api.control("GET", "journal?operation=callback").text


def test_a_wrong_count_is_refused_as_in_the_query(api: Api) -> None:
    for wrong in ({"limit": 0}, {"limit": -1}, {"since": -1}):
        assert api.control("POST", "journal/count", wrong).status_code == 400
