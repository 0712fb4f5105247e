"""The journal over HTTP stays within its bounds, and its archive is whole for every operation."""

import pytest

from tests.mock_server.e2e.api import SUBMIT, Api, Json
from tests.mock_server.e2e.receiver import Receiver

KIB = 1024
HAR_REQUEST = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "queryString": list,
    "headersSize": int,
    "bodySize": int,
}
HAR_RESPONSE = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "content": dict,
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
HAR_ENTRY = {
    "startedDateTime": str,
    "time": int | float,
    "request": dict,
    "response": dict,
    "cache": dict,
    "timings": dict,
}
LOG = {"version": str, "creator": dict, "entries": list}
TIMINGS = dict.fromkeys(("send", "wait", "receive"), int | float)
CONTENT = {"size": int, "mimeType": str}
PAIR = {"name": str, "value": str}


def test_a_body_is_kept_up_to_64_kib_and_said_to_be_cut(api: Api) -> None:
    prompt = "x" * 9000
    api.try_submit({"input": {"prompt": prompt}})
    api.try_submit({"input": {"prompt": "y"}, "more": "z" * 100 * KIB})

    short, long = (each["request"] for each in api.told("GET", "journal")["entries"])

    assert prompt in short["body"]
    assert not short["is_cut"]
    assert len(long["body"]) == 64 * KIB
    assert long["is_cut"]


def test_the_oldest_go_when_there_are_too_many_bytes_and_numbers_go_on(api: Api) -> None:
    body = b'{"input": {"prompt": "", "more": "%b"}}' % (b"z" * 64 * KIB)
    for _ in range(600):
        api.send("POST", SUBMIT, content=body)

    counters = api.counters()
    told = api.told("GET", "journal?since=0&limit=1")
    last = api.told("GET", "journal?limit=1")["entries"][0]
    assert counters["journal_bytes"] <= 32 * KIB * KIB
    assert 80 < told["dropped"] < 200
    assert told["dropped"] + counters["journal_entries"] == last["seq"] == 600
    assert told["entries"][0]["seq"] == told["dropped"] + 1
    assert api.told("GET", "journal?since=597")["entries"][0]["seq"] == 598
    assert api.told("POST", "journal/count", {"since": 597}) == {"count": 3}


def test_since_and_limit_page_through_everything_once(api: Api) -> None:
    for _ in range(23):
        api.balance()

    seen: list[int] = []
    while page := api.told("GET", f"journal?since={seen[-1] if seen else 0}&limit=5")["entries"]:
        seen += [entry["seq"] for entry in page]

    assert seen == list(range(1, 24))
    assert api.told("GET", "journal?since=23") == {"entries": [], "dropped": 0}
    assert api.told("GET", "journal?since=999999999")["entries"] == []


def test_what_a_wait_asks_for_may_have_been_before(api: Api) -> None:
    api.balance()

    held = api.told("GET", "journal/wait?operation=balance&timeout=0")
    later = api.control("GET", "journal/wait?operation=balance&since=1&timeout=0")

    assert [entry["seq"] for entry in held["entries"]] == [1]
    assert (later.status_code, later.json()["entries"]) == (408, [])


@pytest.mark.parametrize(
    "query", ["timeout=301", "timeout=soon", "count=0", "count=x", "operation=balances", "what=1"]
)
def test_a_wrong_wait_is_refused_at_once(api: Api, query: str) -> None:
    assert api.control("GET", f"journal/wait?{query}").status_code == 400


def has(members: Json, value: Json) -> bool:
    return all(isinstance(value.get(name), kind) for name, kind in members.items())


def test_the_archive_is_whole_for_every_operation_and_every_fault(
    api: Api, receiver: Receiver
) -> None:
    task_id = api.submit(callback_url=receiver.url())
    api.submit(callback_url="http://127.0.0.1:9/unheard?a=b&c=")
    api.advance("1d")
    url = api.result_urls(task_id)[0]
    api.http.get(url)
    api.http.get(url, headers={"Range": "bytes=0-9"})
    api.http.get(f"{url}?x=%20y&z=&z=2")
    for apply in ({"wire": "html-error"}, {"wire": "empty"}, {"refuse": {"status": 599}}):
        api.told("POST", "next", {"apply": apply})
        api.ask(task_id)
    api.send("POST", SUBMIT, content=b"\xff\x00 no JSON")

    log = api.told("GET", "journal?format=har")["log"]

    assert has(LOG, log)
    assert has({"name": str, "version": str}, log["creator"])
    assert len(log["entries"]) == api.counters()["journal_entries"]
    for entry in log["entries"]:
        assert has(HAR_ENTRY, entry)
        assert has(HAR_REQUEST, entry["request"])
        assert has(HAR_RESPONSE, entry["response"])
        assert has(TIMINGS, entry["timings"])
        assert has(CONTENT, entry["response"]["content"])
        request, response = entry["request"], entry["response"]
        for pairs in (request["headers"], request["queryString"], response["headers"]):
            assert all(has(PAIR, pair) for pair in pairs)
        assert request["url"].startswith("http://")
        assert entry["startedDateTime"].endswith("Z")
        if "postData" in request:
            assert has({"mimeType": str, "text": str}, request["postData"])
    asked = {tuple(sorted(pair.items())) for pair in log["entries"][-5]["request"]["queryString"]}
    assert len(asked) == 3
