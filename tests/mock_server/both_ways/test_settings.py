"""Settings of the server that change how requests are served, or turn the direct path off."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mock_server.settings import Settings
from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.both_ways.twins import twins

KEY = "sk-accepted"
LOGGER = "mock_server.requests"
ORIGIN = "Origin: http://page.test"
PREFLIGHT = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x")
RULE = {"match": {"operation": "balance"}, "apply": {"refuse": {"status": 503}}}


def usual(t: Conversation) -> None:
    """Send requests of all kinds, one after the other and then at once."""
    body = b'{"input":{"prompt":"a fox","mode":"gpt-image-1"}}'
    task_id = t.new_task(body)
    requests = [
        t.submit(body=body),
        t.status(task_id),
        t.status("unknown"),
        t.balance("Sec-Fetch-Site: cross-site"),
        t.submit(body=b"{}"),
        t.submit(body=b'{"input":{"prompt":"' + b"x" * 500 + b'"}}'),
        t.balance().replace(b"Bearer ", b"Bearer sk-invalid"),
        t.submit(body=body).replace(KEY.encode(), b"sk-another"),
        t.balance("Sec-Fetch-Site: cross-site", ORIGIN),
        t.request("OPTIONS /api/v1/apikeys/current-balance HTTP/1.1", ORIGIN, *PREFLIGHT),
    ]
    for request in requests:
        t.send(request)
        t.settle()
    t.send(b"".join(requests))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Settings, and how many of the 20 requests are served directly."""

    settings: Settings
    direct: int


ROWS = {
    "defaults": Row(settings=Settings(), direct=13),
    "request log": Row(settings=Settings(), direct=0),
    "cors": Row(settings=Settings(cors=("*",)), direct=0),
    "cors of one origin": Row(settings=Settings(cors=("http://page.test",)), direct=0),
    "tls": Row(settings=Settings(tls=True), direct=13),
    "accepted keys": Row(
        settings=Settings(api_key=(KEY, "sk-third"), public_url="https://front.test/base"),
        direct=12,
    ),
    "rules": Row(settings=Settings(rules=(RULE,)), direct=9),
    "no provenance": Row(
        settings=Settings(rules=(RULE,), provenance=False, profile="free-plan"), direct=9
    ),
    "strict": Row(
        settings=Settings(strict=True, retry_after=False, body_limit_bytes=100), direct=11
    ),
    "few tasks": Row(
        settings=Settings(clock="manual", max_tasks=3, max_concurrent=2, balance_microusd=80_000),
        direct=13,
    ),
    "reserved ids": Row(
        settings=Settings(task_ids="reserved", result_host="other", generation_time_ms=0), direct=7
    ),
}


@pytest.fixture
def logs_requests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Log requests, which is off in other tests."""
    logger = logging.getLogger(LOGGER)
    before = logger.level
    logger.setLevel(logging.INFO if "request log" in request.node.name else logging.WARNING)
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("logs_requests")
@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_both_ways_are_the_same_with_other_settings(row: Row) -> None:
    with twins(row.settings) as servers:
        outcome, direct = servers.compare(usual, KEY)

    assert len(outcome.statuses) == 20
    assert direct == row.direct
