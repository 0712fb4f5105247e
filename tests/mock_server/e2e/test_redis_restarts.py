"""Redis restarts while waits and event streams are open: they go on and miss nothing."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from mock_server.settings import Settings
from mock_server.store.redis.store import RedisStore
from mock_server.web.api_keys import sandbox_id
from tests.mock_server.e2e.api import BALANCE, Api
from tests.mock_server.e2e.serving import RunningMock, running
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer, redis_binary


class Outage:
    """A Redis that keeps its data while it is away, and two servers that use it."""

    def __init__(self, redis: RedisServer, mocks: list[RunningMock]) -> None:
        self._redis = redis
        self._mocks = mocks

    def begin(self) -> None:
        self._redis.stop()
        self._until_noticed(503)

    def end(self) -> None:
        self._redis.start("--appendonly", "yes")
        self._until_noticed(200)

    def _until_noticed(self, status: int) -> None:
        """Wait until all servers have noticed that Redis was stopped, or started."""
        for mock in self._mocks:
            while mock.api("sk-probe").send("GET", BALANCE).status_code != status:
                pass


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(redis_binary(), tmp_path_factory.mktemp("durable-redis"))
    server.start("--appendonly", "yes")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mocks(redis: RedisServer) -> Iterator[list[RunningMock]]:
    settings = Settings(
        store=redis.address,
        clock="manual",
        log_level="error",
        max_concurrent=1_000_000,
        rate_limit=1_000_000,
    )
    with running(settings) as one, running(settings) as other:
        yield [one, other]


@pytest.fixture
def outage(redis: RedisServer, mocks: list[RunningMock]) -> Outage:
    return Outage(redis, mocks)


@pytest.fixture
def apis(mocks: list[RunningMock], request: pytest.FixtureRequest) -> list[Api]:
    return [mock.api(f"sk-{request.node.name}") for mock in mocks]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def begin(
    pool: ThreadPoolExecutor, mock: RunningMock, api: Api, path: str
) -> Future[httpx.Response]:
    """Begin a call that waits; return after the server has begun to wait."""
    waiting = pool.submit(api.control, "GET", path)
    store = mock.app._store
    assert isinstance(store, RedisStore)
    while sandbox_id(api.key) not in store._events.followed:
        assert not waiting.done(), waiting.result().text
    return waiting


def numbers_of_requests(answer: httpx.Response) -> Iterator[int]:
    """Yield the number of each exchange that a stream reports."""
    lines = answer.iter_lines()
    for line in lines:
        if line.startswith("id: "):
            assert next(lines) == "event: request"
            yield int(line.removeprefix("id: "))


@pytest.mark.parametrize("path", ["tasks/{task}/wait?state=success", "journal/wait?count=3"])
def test_wait_goes_on_after_redis_has_restarted(
    outage: Outage, mocks: list[RunningMock], apis: list[Api], pool: ThreadPoolExecutor, path: str
) -> None:
    api, other = apis
    task = api.submit()
    path = f"{path.format(task=task)}&timeout={PATIENCE_S}"
    waiting = begin(pool, mocks[0], api, path)

    outage.begin()
    outage.end()
    other.told("POST", f"tasks/{task}/finish", {"state": "success"})
    for _ in range(2):
        other.status(task)

    assert waiting.result(PATIENCE_S).status_code == 200


def test_stream_reports_each_exchange_once_although_redis_restarts(
    outage: Outage, mocks: list[RunningMock], apis: list[Api]
) -> None:
    api, other = apis
    headers = {"Authorization": f"Bearer {api.key}"}
    with mocks[0].http.stream("GET", "/_mock/events", headers=headers) as answer:
        numbers = numbers_of_requests(answer)
        told = []
        for each in (api, other):
            each.submit()
            told.append(next(numbers))
            outage.begin()
            assert each.try_submit({"input": {"prompt": "lost"}}).status_code == 503
            outage.end()
            each.submit()
            told.append(next(numbers))

    assert told == [1, 2, 3, 4]
    assert [each["seq"] for each in api.told("GET", "journal")["entries"]] == told


def test_no_accepted_task_is_lost_when_redis_is_killed_during_requests(
    outage: Outage, apis: list[Api], pool: ThreadPoolExecutor
) -> None:
    is_over = Event()
    before = {api.submit() for api in apis}

    def submit_on(api: Api) -> set[str]:
        accepted = set()
        while not is_over.is_set():
            answer = api.try_submit({"input": {"prompt": "a fox"}})
            assert answer.status_code in {200, 503}
            if answer.status_code == 200:
                accepted.add(answer.json()["data"]["taskId"])
        return accepted

    submitting = [pool.submit(submit_on, api) for api in apis]
    for _ in range(2):
        outage.begin()
        outage.end()
    is_over.set()
    accepted = before.union(*(each.result(PATIENCE_S) for each in submitting))

    found = [api.told("GET", "tasks?limit=100000")["tasks"] for api in apis]
    assert found[0] == found[1]
    assert accepted <= {each["task_id"] for each in found[0]}
