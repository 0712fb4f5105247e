"""Every answer of the control plane matches its OpenAPI document, member by member."""

import json
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from mock_server.control.decoding import MAX_BODY_BYTES
from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.mock_server.conftest import MakeReceiver, Serve
from tests.mock_server.control.documented import DocumentChecker, problems
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.receiver import Answer
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.fake_stores import DurableStore
from tests.patience import PATIENCE_S

KEY = "sk-documented"
CALLBACK = {"match": {"operation": "callback"}, "apply": {"callback": {"duplicate": 1}}}
REFUSE = {"match": {"prompt": "no"}, "apply": {"refuse": {"status": 503, "retry_after": "date:7"}}}
SLOW = {"match": {"operation": "status", "nth": "1..2"}, "apply": {"latency": "1ms"}}


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    """Serve these tests only, because they delete all sandboxes."""
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


@pytest.fixture
def checker(document: Json) -> DocumentChecker:
    return DocumentChecker(document)


@pytest.fixture
def api(mock: RunningMock, checker: DocumentChecker) -> Iterator[Api]:
    with checked_client(mock, checker) as http:
        api = Api(http, KEY)
        yield api
        api.control("DELETE", "sandbox")


def checked_client(mock: RunningMock, checker: DocumentChecker) -> httpx.Client:
    transport = httpx.HTTPTransport(verify=False)  # spares loading certificates
    hooks = {"response": [checker.check]}
    return httpx.Client(
        base_url=mock.url, transport=transport, event_hooks=hooks, timeout=PATIENCE_S
    )


def test_every_successful_answer_matches_the_document(
    api: Api, checker: DocumentChecker, make_receiver: MakeReceiver
) -> None:
    """Make every call, with tasks, callbacks and rules in every form that answers show."""
    receiver, deaf = make_receiver(), make_receiver()
    deaf.otherwise = Answer(status=500)
    api.told("PUT", "rules", {"rules": [REFUSE, SLOW]})
    api.told("POST", "rules", CALLBACK)
    api.told("POST", "next", {"apply": {"outcome": {"polls": 2}}, "match": {"prompt": "polled"}})
    queued = api.told("POST", "next", {"apply": {"wire": "close"}})["next"]
    api.told("DELETE", f"next?id={queued[-1]['id']}")
    ended = api.submit("a fox", callback_url=receiver.url(), num_images=2)
    failed = api.submit("a bear [[mock fail=NSFW]]", callback_url=deaf.url())
    held = api.submit("a hare [[mock hold]]")
    polled = api.submit("a polled owl")
    blocked = api.submit("a crow", callback_url="http://169.254.169.254/")
    assert api.try_submit({"input": {"prompt": "no"}}).status_code == 503
    assert api.try_submit({"input": {}}).status_code == 400
    api.told("GET", "callbacks")
    assert api.advance("2m")
    api.status(ended)
    api.send("GET", api.result_urls(ended)[0])
    api.balance()
    list(map(api.task, (ended, failed, held, polled, blocked)))
    assert {each["state"] for each in api.deliveries()} == {"delivered", "pending", "blocked"}
    api.told("GET", "tasks?state=success&limit=2")
    api.told("GET", f"tasks/{ended}/wait")
    assert api.control("GET", f"tasks/{held}/wait?state=failed&timeout=0").status_code == 408
    api.finish(held, state="failed", failCode="NSFW", failMsg="no")
    assert api.control("POST", f"tasks/{held}/finish", {"state": "success"}).status_code == 409
    journal = api.told("GET", "journal?since=0&limit=1000")["entries"]
    assert {each["operation"] for each in journal} == {
        "submit", "status", "result", "balance", "callback",
    }  # fmt: skip
    assert {each["rule"] is None for each in journal} == {True, False}
    api.told("GET", "journal?format=har")
    api.told("GET", "audit")
    api.told("POST", "journal/count", {"operation": "submit"})
    api.told("GET", "journal/wait?operation=submit&count=2")
    assert api.control("GET", "journal/wait?count=999&timeout=1ms").status_code == 408
    api.change(profile="hostile", balance=5, generation_time="1m", strict=True)
    api.told("GET", "rules")
    api.told("DELETE", "rules")
    api.told("GET", "clock")
    api.go_real(speed=2)
    api.told("GET", "sandbox")
    snapshot = api.told("GET", "sandbox/snapshot")
    assert api.control("PUT", "sandbox/snapshot", snapshot).status_code == 204
    for path in ("health", "ready", "info", "openapi.json", "sandboxes", "next"):
        api.told("GET", path)
    api.control("GET", "metrics")
    with api.http.stream("GET", "/_mock/events", headers={"Authorization": f"Bearer {KEY}"}):
        pass
    api.control("DELETE", "sandbox")
    api.control("DELETE", "sandboxes")

    assert said(checker, range(200, 300), 408) <= checker.seen


def test_every_event_matches_its_documented_type(
    api: Api, checker: DocumentChecker, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    described = checker.document["paths"]["/_mock/events"]["get"]["responses"]["200"]
    events = described["content"]["text/event-stream"]["x-events"]
    missing = set(events)
    headers = {"Authorization": f"Bearer {KEY}"}
    with api.http.stream("GET", "/_mock/events", headers=headers) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": listening"
        api.submit("a fox", callback_url=receiver.url())
        api.advance("5m")
        api.change(rate_limit=5)
        for line in lines:
            name, _, kind = line.partition(": ")
            if name == "event":
                data = json.loads(next(lines).removeprefix("data: "))
                assert problems(checker.document, events[kind], data) == []
                missing.discard(kind)
            if missing == {"dropped"}:  # A reset drops the events that are not sent yet.
                api.control("DELETE", "sandbox")
            if not missing:
                break


def test_every_rejection_matches_the_document(
    api: Api, checker: DocumentChecker, document: Json, serve: Serve
) -> None:
    """Provoke all rejections except those in `needs_more`."""
    task_id = api.submit("a hare [[mock hold]]")
    api.finish(task_id)
    other_site = {"Origin": "http://elsewhere.example", "Mock-Sandbox": "0" * 16}
    too_much = b" " * (MAX_BODY_BYTES + 1)
    for path, item in document["paths"].items():
        here, there = path.format(task_id=task_id), path.format(task_id="task_none")
        for method in set(item) - {"parameters"}:
            api.http.request(method, f"{here}?nonsense=1")
            if item[method]["security"] == [{"apiKey": []}]:
                api.http.request(method, here)
            if "403" in item[method]["responses"]:
                api.http.request(method, here, headers=other_site)
            if "requestBody" in item[method] and not path.endswith("snapshot"):
                api.send(method, here, content=too_much)
                api.send(method, here, content=b"[")
            if path.endswith("finish"):
                body = {"state": "success"}
                api.send(method, here, body=body)
                api.send(method, there, body=body)
            elif path.endswith("next") and method == "delete":
                api.send(method, f"{here}?id=next-0")
            elif here != there:
                api.send(method, there)
            checker.seen.add((path, method, api.http.request("TRACE", here).status_code))
    api.http.get("/_mock/events", headers={"Mock-Sandbox": "0" * 16})
    with checked_client(serve(Settings(admin_token="hush")), checker) as http:
        http.get("/_mock/sandboxes")
        http.delete("/_mock/sandboxes")
    call_without_store(document, checker)

    needs_more = {
        ("/_mock/clock/advance", "post", 409),
        ("/_mock/sandbox/snapshot", "put", 409),
        ("/_mock/sandbox/snapshot", "put", 413),
    }
    missed = said(checker, range(400, 600)) - checker.seen - needs_more
    assert {each for each in missed if each[2] != 408} == set()


def call_without_store(document: Json, checker: DocumentChecker) -> None:
    """Make every call that needs the store, while it cannot be used."""
    make = partial(MockServer, make_store=DurableStore)
    with running(Settings(), make=make) as mock, checked_client(mock, checker) as http:
        store = mock.app._store
        assert isinstance(store, DurableStore)
        store.problem = "the disk is gone"
        for path, item in document["paths"].items():
            for method in set(item) - {"parameters"}:
                if "503" in item[method]["responses"]:
                    Api(http, KEY).send(method, path.format(task_id="task_none"))
        store.problem = None


def said(checker: DocumentChecker, *statuses: range | int) -> set[tuple[str, str, int]]:
    """Return path, method and status of the answers that the document names."""
    wanted = {each for some in statuses for each in ([some] if isinstance(some, int) else some)}
    return {
        (path, method, int(status))
        for path, item in checker.document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        for status in operation["responses"]
        if int(status) in wanted
    }
