"""A client cannot tell that sandboxes are in Redis either."""

from collections.abc import Iterator

import msgspec
import pytest

from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.settings import Settings
from mock_server.store.redis.store import RedisStore
from tests.mock_server.both_ways.all_cases import ALL, CONCURRENT
from tests.mock_server.both_ways.case import Case
from tests.mock_server.both_ways.server import StillClock
from tests.mock_server.both_ways.twins import Twins, twins
from tests.properties import part_of
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.deep, pytest.mark.long]

_DATABASE = 11
_AHEAD_MS = 86_400_000  # The clocks of the servers, which tests move, are behind it.
OTHERWISE = {
    CONCURRENT,
    # Time in a store of several processes never goes back, and these tests set a clock back.
    "states_of_a_task_in_real_time",
    # The client of these tests leaves before the server has heard from Redis.
    "expect_100_continue_for_a_body_that_is_too_large",
    "content_length_within_64_bits",
}
CASES = [pytest.param(case, id=case.name) for case in ALL if case.name not in OTHERWISE]


@pytest.fixture(scope="module")
def twins_with_redis(redis_server: RedisServer) -> Iterator[Twins]:
    clock = StillClock()
    clock.now_ms += _AHEAD_MS

    def make_store(template: SandboxTemplate) -> Store:
        return RedisStore(
            lambda seed: msgspec.structs.replace(template, seed=seed),
            f"{redis_server.address}?db={_DATABASE}",
            clock=clock,
            seed=template.seed,
        )

    with twins(Settings(log_level="warning"), make_store) as servers:
        yield servers


@pytest.mark.parametrize("case", part_of(CASES))
def test_both_ways_are_the_same_to_the_client(twins_with_redis: Twins, case: Case) -> None:
    # The key of the other tests, because some responses are drawn for it.
    outcome, direct = twins_with_redis.compare(case.talk, f"sk-case-{case.name}")

    assert outcome.statuses == list(case.statuses)
    assert direct < case.direct.stop
