"""Whatever the control plane really answers is what its document says, member by member."""

import json
from collections.abc import Iterator

import httpx
import pytest

from mock_server.control.decoding import MAX_BODY_BYTES
from mock_server.settings import Settings
from tests.mock_server.conftest import MakeReceiver, Serve
from tests.mock_server.control.documented import Witness, problems
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.receiver import Answer
from tests.mock_server.e2e.serving import RunningMock, running
from tests.patience import PATIENCE_S

KEY = "sk-documented"
CALLBACK = {"match": {"operation": "callback"}, "apply": {"callback": {"duplicate": 1}}}
REFUSE = {"match": {"prompt": "no"}, "apply": {"refuse": {"status": 503, "retry_after": "date:7"}}}
SLOW = {"match": {"operation": "status", "nth": "1..2"}, "apply": {"latency": "1ms"}}


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    """Serve for these tests alone, which drop all sandboxes."""
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


@pytest.fixture
def witness(document: Json) -> Witness:
    return Witness(document)


@pytest.fixture
def api(mock: RunningMock, witness: Witness) -> Iterator[Api]:
    with listened_to(mock, witness) as http:
        api = Api(http, KEY)
        yield api
        api.control("DELETE", "sandbox")


def listened_to(mock: RunningMock, witness: Witness) -> httpx.Client:
    transport = httpx.HTTPTransport(verify=False)  # spares loading certificates
    hooks = {"response": [witness.hear]}
    return httpx.Client(
        base_url=mock.url, transport=transport, event_hooks=hooks, timeout=PATIENCE_S
    )


def test_a_whole_session_is_answered_as_documented(
    api: Api, witness: Witness, make_receiver: MakeReceiver
) -> None:
    """Every call is made, and meets whatever it shows in each of its shapes."""
    receiver, deaf = make_receiver(), make_receiver()
    deaf.otherwise = Answer(status=500)
    api.told("PUT", "rules", {"rules": [REFUSE, SLOW]})
    api.told("POST", "rules", CALLBACK)
    api.told("POST", "next", {"apply": {"outcome": {"polls": 2}}, "match": {"prompt": "polled"}})
    api.told("GET", "next")
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
    for task_id in (ended, failed, held, polled, blocked):
        api.task(task_id)
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
    for path in ("health", "ready", "info", "openapi.json", "sandboxes"):
        api.told("GET", path)
    api.control("GET", "metrics")
    with api.http.stream("GET", "/_mock/events", headers={"Authorization": f"Bearer {KEY}"}):
        pass
    api.control("DELETE", "sandbox")
    api.control("DELETE", "sandboxes")

    assert said(witness, range(200, 300), 408) <= witness.seen


def test_every_event_is_as_documented(
    api: Api, witness: Witness, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    described = witness.document["paths"]["/_mock/events"]["get"]["responses"]["200"]
    events = described["content"]["text/event-stream"]["x-events"]
    missing = set(events)
    headers = {"Authorization": f"Bearer {KEY}"}
    with api.http.stream("GET", "/_mock/events", headers=headers) as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": listening"
        api.submit("a fox", callback_url=receiver.url())
        api.advance("5m")
        api.change(rate_limit=5)
        api.control("DELETE", "sandbox")
        while missing:
            name, _, kind = next(lines).partition(": ")
            if name == "event":
                data = json.loads(next(lines).removeprefix("data: "))
                assert problems(witness.document, events[kind], data) == []
                missing.discard(kind)


def test_every_refusal_is_as_documented(
    api: Api, witness: Witness, document: Json, serve: Serve
) -> None:
    """All but those that need a server in another state, and a snapshot beyond all bounds."""
    task_id = api.submit("a hare [[mock hold]]")
    api.finish(task_id)
    stranger = {"Origin": "http://elsewhere.example", "Mock-Sandbox": "0" * 16}
    too_much = b" " * (MAX_BODY_BYTES + 1)
    for path, item in document["paths"].items():
        here, there = path.format(task_id=task_id), path.format(task_id="task_none")
        for method in set(item) - {"parameters"}:
            api.http.request(method, f"{here}?nonsense=1")
            if item[method]["security"] == [{"apiKey": []}]:
                api.http.request(method, here)
            if "403" in item[method]["responses"]:
                api.http.request(method, here, headers=stranger)
            if "requestBody" in item[method] and not path.endswith("snapshot"):
                api.send(method, here, content=too_much)
                api.send(method, here, content=b"[")
            if path.endswith("finish"):
                body = {"state": "success"}
                api.send(method, here, body=body)
                api.send(method, there, body=body)
            elif here != there:
                api.send(method, there)
            witness.seen.add((path, method, api.http.request("TRACE", here).status_code))
    api.http.get("/_mock/events", headers={"Mock-Sandbox": "0" * 16})
    with listened_to(serve(Settings(admin_token="hush")), witness) as http:
        http.get("/_mock/sandboxes")
        http.delete("/_mock/sandboxes")

    needs_more = {
        ("/_mock/ready", "get", 503),
        ("/_mock/events", "get", 503),
        ("/_mock/clock/advance", "post", 409),
        ("/_mock/sandbox/snapshot", "put", 409),
        ("/_mock/sandbox/snapshot", "put", 413),
    }
    missed = said(witness, range(400, 600)) - witness.seen - needs_more
    assert {each for each in missed if each[2] != 408} == set()


def said(witness: Witness, *statuses: range | int) -> set[tuple[str, str, int]]:
    """Return path, method and status of the answers that the document names."""
    wanted = {each for some in statuses for each in ([some] if isinstance(some, int) else some)}
    return {
        (path, method, int(status))
        for path, item in witness.document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        for status in operation["responses"]
        if int(status) in wanted
    }
