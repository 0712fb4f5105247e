"""Two servers with one store: what one of them was told holds at once for the other."""

from collections.abc import Iterator

import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import running
from tests.redis_server import RedisServer


@pytest.fixture
def servers(redis_server: RedisServer, request: pytest.FixtureRequest) -> Iterator[tuple[Api, Api]]:
    settings = Settings(store=f"{redis_server.address}?db=9", clock="manual", log_level="warning")
    with running(settings) as one, running(settings) as other:
        key = f"sk-{request.node.name}"
        yield one.api(key), other.api(key)


def test_settings_hold_for_the_next_request_to_the_other_server(servers: tuple[Api, Api]) -> None:
    one, other = servers
    body = {"input": {"prompt": "a fox"}}
    assert other.try_submit(body).status_code == 200

    one.told("PATCH", "sandbox", {"strict": True})

    assert other.try_submit(body).status_code == 400
    assert one.told("GET", "sandbox")["counters"] == other.told("GET", "sandbox")["counters"]


def test_first_rule_holds_for_the_next_request_to_the_other_server(
    servers: tuple[Api, Api],
) -> None:
    one, other = servers
    task = other.submit()
    other.status(task)

    one.told("POST", "next", {"apply": {"refuse": {"status": 503}}})

    assert [other.ask(task).status_code for _ in range(2)] == [503, 200]


def test_reset_holds_for_the_next_request_to_the_other_server(servers: tuple[Api, Api]) -> None:
    one, other = servers
    task = other.submit()

    assert one.control("DELETE", "sandbox").status_code in {200, 204}

    assert other.ask(task).status_code == 404
