"""A changed snapshot is restored and works, or it is rejected and changes nothing.

With every store, no response has a status of 500 or above, and the places for tasks are right.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import BALANCE, Api, Json
from tests.mock_server.e2e.receiver import receiving
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.snapshots.mutations import changes, mutated
from tests.properties import scale
from tests.redis_server import RedisServer

_DATABASE = 12
_STORES = ("memory", "sqlite", "redis")
_MORE_BY_NIGHT = 5
_SNAPSHOT = "sandbox/snapshot"
_LOOKS = (
    "sandbox", "journal", "journal?format=har", "callbacks", "rules", "next", "clock", "audit",
    "sandboxes", "metrics", "info", "audit/page", "tasks?state=success",
)  # fmt: skip


def varied(api: Api, receiver_url: str) -> Json:
    """Return the snapshot of a sandbox in which every part of a snapshot is used.

    Its rules delay nothing and cause no 5xx, also if one part of them is changed.
    """
    outcome = {"outcome": {"fail": "NSFW", "message": "no", "pending": "1s", "processing": 2}}
    for match, apply in (
        ({"prompt": "fox", "probability": 0.5, "header": {"X-Test": "no"}}, outcome),
        ({"operation": ["status"], "times_each": 3, "nth": "2..4"}, {"meaning": "unknown-state"}),
        ({"prompt_regex": "^(cat|dog) other$", "times": 3}, {"latency": {"uniform": [0, 0]}}),
        ({"state": "failed"}, {"callback": {"duplicate": 1}}),
    ):
        api.told("POST", "rules", {"match": match, "apply": apply})
    api.change(rate_limit=1000)
    api.submit("[[mock fail=NSFW]]")
    api.submit("[[mock hold]]")
    for _ in range(2):
        api.ask(api.submit("a fox [[mock polls=4]]", num_images=2))
    api.submit("answered", callback_url=receiver_url)
    api.submit("not answered", callback_url="http://127.0.0.1:9/")
    api.told("POST", "next", {"apply": {"callback": {"delay": "500s"}}})
    api.submit("[[mock processing=1s]]", callback_url=receiver_url)
    api.advance(30)
    api.advance(100)
    refusal = {"apply": {"refuse": {"status": 429, "retry_after": 7}}, "match": {"prompt": "other"}}
    api.told("POST", "next", refusal | {"count": 3})
    api.submit("young")
    api.ask("task_unknown")
    taken = api.told("GET", _SNAPSHOT)
    profile = {"id": "slow-1", "written": {"match": {}, "apply": {"meaning": "unknown-members"}}}
    return taken | {"rules": taken["rules"] | {"profile": [profile]}}


@pytest.fixture(scope="session")
def document() -> Json:
    with receiving() as receiver, running(Settings(clock="manual", seed=7)) as mock:
        return varied(mock.api("sk-original"), receiver.url())


@contextmanager
def serving(store: str | None, document: Json) -> Iterator[RunningMock]:
    """Serve with room for the tasks of the document and one more."""
    settings = Settings(
        clock="manual",
        max_tasks=len(document["tasks"]) + 1,
        log_level="error",
    )
    if store is not None:
        settings = msgspec.structs.replace(settings, store=store)
    with running(settings) as mock:
        yield mock


@pytest.fixture(scope="session", params=_STORES)
def victim(
    request: pytest.FixtureRequest, document: Json, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    store = None
    if request.param == "sqlite":
        file: Path = tmp_path_factory.mktemp("hostile") / "mock.db"
        store = f"sqlite:{file}"
    elif request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        store = f"{server.address}?db={_DATABASE}"
    with serving(store, document) as mock:
        api = mock.api("sk-victim")
        restore(api, document)
        yield api


def restore(api: Api, document: Json) -> bytes:
    """Restore a valid snapshot, for which there must be room; return the state."""
    answer = api.control("PUT", _SNAPSHOT, document)
    assert answer.status_code == 204, answer.text
    return api.control("GET", _SNAPSHOT).content


def use(api: Api) -> Iterator[httpx.Response]:
    """Yield the responses to everything that can be done with a sandbox."""
    for path in _LOOKS:
        yield api.control("GET", path)
    tasks: list[Json] = api.told("GET", "tasks")["tasks"]
    for task in tasks:
        yield api.ask(task["task_id"])
        yield api.control("GET", f"tasks/{quote(task['task_id'], safe='')}")
        for url in task.get("result_urls", [])[:1]:
            yield api.http.get(urlsplit(url).path)
    yield api.control("POST", "clock/advance", {"seconds": 100})
    yield api.try_submit({"input": {"prompt": "more"}})
    yield api.send("GET", BALANCE)
    yield api.control("PATCH", "sandbox", {"rate_limit": 7})
    for task in tasks[:3]:
        path = f"tasks/{quote(task['task_id'], safe='')}/finish"
        yield api.control("POST", path, {"state": "success"})
    yield api.control("POST", "clock/advance", {"seconds": 100_000})
    yield api.control("GET", "journal?format=har")
    taken = api.control("GET", _SNAPSHOT)
    yield taken
    again = api.send("PUT", f"/_mock/{_SNAPSHOT}", content=taken.content)
    assert again.status_code == 204, again.text
    yield api.try_submit({"input": {"prompt": "more"}})


def check(api: Api, before: bytes, changed: bytes, change: str) -> bool:
    """Try one changed snapshot; return whether it was rejected."""
    answer = api.send("PUT", f"/_mock/{_SNAPSHOT}", content=changed)
    if answer.status_code == 204:
        for response in use(api):
            assert response.status_code < 500, (change, response.request.url, response.text)
        return False
    assert answer.status_code == 400, (change, answer.text)
    assert "body: is not a valid snapshot; " in answer.json()["data"]["error"]
    assert api.control("GET", _SNAPSHOT).content == before, change
    return True


@pytest.mark.deep
def test_changed_snapshot_works_or_is_rejected_without_effect(
    victim: Api, document: Json, request: pytest.FixtureRequest
) -> None:
    """Try a part of all changes, distributed over the document: another part for each store."""
    possible = changes(document)
    count = scale(70) * (_MORE_BY_NIGHT if scale(100) > 100 else 1)
    first = _STORES.index(request.node.callspec.params["victim"])
    before = restore(victim, document)
    for path, mutation in possible[first :: len(possible) // count]:
        if not check(victim, before, mutated(document, path, mutation), f"{path} {mutation[0]}"):
            before = restore(victim, document)
