"""A server whose store cannot be used now: calls of the control plane, and readiness."""

from collections.abc import Iterator
from functools import partial

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import BALANCE, Json
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.fake_stores import DurableStore, WaitingStore

PROBLEM = "the disk is gone"


@pytest.fixture(scope="module", params=[DurableStore, WaitingStore])
def stored(request: pytest.FixtureRequest) -> Iterator[RunningMock]:
    make = partial(MockServer, make_store=request.param)
    with running(Settings(clock="manual", seed=7), make=make) as mock:
        yield mock


@pytest.fixture
def store(stored: RunningMock) -> Iterator[DurableStore]:
    store = stored.app._store
    assert isinstance(store, DurableStore)
    yield store
    store.problem = store.write_problem = None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "sandbox", None),
        ("GET", "tasks", None),
        ("PATCH", "sandbox", {"rate_limit": 5}),
        ("POST", "clock/advance", {"seconds": 5}),
        ("PUT", "rules", {"rules": []}),
        ("GET", "journal/wait?count=1&timeout=5", None),
        ("GET", "events", None),
        ("DELETE", "sandbox", None),
        ("GET", "sandboxes", None),
    ],
)
def test_calls_get_503_with_the_reason_while_the_store_cannot_be_used(
    stored: RunningMock, store: DurableStore, method: str, path: str, body: Json | None
) -> None:
    api = stored.api("sk-outage")
    api.told("GET", "sandbox")
    store.problem = PROBLEM

    answer = api.control(method, path, body)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {
        "code": 503,
        "message": "Service unavailable",
        "data": {"error": PROBLEM},
    }


def test_change_that_could_not_be_written_gets_503(
    stored: RunningMock, store: DurableStore
) -> None:
    store.write_problem = PROBLEM

    answer = stored.api("sk-unwritten").control("PATCH", "sandbox", {"rate_limit": 5})

    assert (answer.status_code, answer.json()["data"]["error"]) == (503, PROBLEM)


def test_readiness_tells_the_problem_of_the_store_and_ends_with_it(
    stored: RunningMock, store: DurableStore
) -> None:
    store.problem = PROBLEM
    during = stored.http.get("/_mock/ready")
    health = stored.http.get("/_mock/health")
    store.problem = None

    assert (during.status_code, during.json()["data"]["error"]) == (503, PROBLEM)
    assert health.status_code == 200
    assert stored.http.get("/_mock/ready").status_code == 200


@pytest.mark.parametrize("problem", ["problem", "write_problem"])
def test_health_does_not_depend_on_the_store(
    stored: RunningMock, store: DurableStore, problem: str
) -> None:
    setattr(store, problem, PROBLEM)

    assert stored.http.get("/_mock/health?").status_code == 200
    assert stored.http.get("/_mock/openapi.json").status_code == 200


def samples_of(mock: RunningMock) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(mock.http.get("/_mock/metrics").text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_count_what_got_503_because_of_an_outage(
    stored: RunningMock, store: DurableStore
) -> None:
    api = stored.api("sk-counted")
    api.balance()
    unavailable, of_balance = (
        ("apixo_mock_store_unavailable_total",),
        ("apixo_mock_requests_total", "503", "balance"),
    )
    before = samples_of(stored)
    store.problem = PROBLEM
    api.send("GET", BALANCE)
    api.send("GET", BALANCE, headers={"Expect": "nothing"})  # It takes the ordinary way.
    api.control("GET", "sandbox")
    stored.http.get("/_mock/ready")
    store.problem = None

    after = samples_of(stored)

    assert after[unavailable] == before[unavailable] + 3
    assert after[of_balance] == before.get(of_balance, 0) + 2


def test_metrics_count_a_response_that_could_not_be_written_once(
    stored: RunningMock, store: DurableStore
) -> None:
    """The request itself was counted with its first response."""
    api = stored.api("sk-unwritten-balance")
    api.balance()
    unavailable = ("apixo_mock_store_unavailable_total",)
    before = samples_of(stored)
    store.write_problem = PROBLEM
    assert api.send("GET", BALANCE).status_code == 503
    store.write_problem = None

    assert samples_of(stored)[unavailable] == before[unavailable] + 1
