"""`advance` does not let one receiver wait for another, and its result is the same."""

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import SetRules
from mock_server.domain.deliveries import Delivery
from mock_server.domain.dispatching import Advanced
from mock_server.domain.rule_parsing import parse_rule
from tests.mock_server.runtime.processes import ID, Process, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually
from tests.mock_server.store.bench import CATALOGUE, START_MS
from tests.properties import examples

SLOW, FAST, OTHER = "http://slow/1", "http://slow/2", "http://other/"
TIMEOUT_S = 30.0


class Callback(msgspec.Struct, frozen=True):
    """A callback task, and how its receiver answers."""

    duration_ms: int
    url: str
    failures: int


callbacks = st.lists(
    st.builds(
        Callback,
        st.sampled_from([0, 1000, 2000, 29_000, 31_000, 31_000, 32_000, 61_000, 152_000]),
        st.sampled_from([SLOW, FAST, OTHER]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=8,
)
latencies_s = st.sampled_from([0.0, 0.5, 1.5, 3.0])


async def advanced(
    work: list[Callback], latencies: dict[str, float], *, rules: bool = False
) -> tuple[SharedSandbox, Advanced]:
    shared = SharedSandbox(mode="manual")
    shared.latencies_of_s = {SLOW: 0.0, FAST: 0.0, OTHER: 0.0} | latencies
    await shared.begin()
    process = Process(shared, "one")
    if rules:
        rule = parse_rule(
            {"match": {"operation": "balance"}, "apply": {"latency": 1}},
            "rule",
            CATALOGUE.fail_messages,
        )
        set_rules = SetRules(real_ms=process.real_ms(), definitions=[rule])
        await process.store.execute(ID, set_rules)
    for each in work:
        task_id = await process.submit(each.duration_ms, each.url)
        shared.failures[task_id] = each.failures
    await asyncio.sleep(60)  # What is due at the beginning is attempted before.
    result = await process.advance(1_000_000)
    assert shared.sandbox.claim_owners() == set()
    await asyncio.sleep(1)
    assert process.dispatcher.is_idle
    return shared, result


def without_durations(delivery: Delivery) -> Delivery:
    attempts = [msgspec.structs.replace(each, duration_ms=0) for each in delivery.attempts]
    return msgspec.structs.replace(delivery, attempts=tuple(attempts), claim=0)


@examples(100)
@given(callbacks, st.dictionaries(st.sampled_from([SLOW, FAST, OTHER]), latencies_s))
def test_slow_receivers_change_neither_what_is_sent_nor_its_order(
    work: list[Callback], latencies: dict[str, float]
) -> None:
    """Instants, results and the order at each receiver are those of an advance without them."""

    async def main() -> None:
        shared, result = await advanced(work, latencies)
        same, expected = await advanced(work, {})

        assert result == expected
        assert [without_durations(each) for each in shared.sandbox.deliveries()] == [
            without_durations(each) for each in same.sandbox.deliveries()
        ]
        for url in (SLOW, FAST, OTHER):
            assert [(post.task_id, post.at_ms) for post in shared.posts if post.url == url] == [
                (post.task_id, post.at_ms) for post in same.posts if post.url == url
            ]

    run_virtually(main())


def waits_s(shared: SharedSandbox, url: str) -> list[float]:
    """Return how long after the beginning of `advance` each callback was sent to a URL."""
    began_s = min(post.at_s for post in shared.posts)
    return [post.at_s - began_s for post in shared.posts if post.url == url]


def test_a_hanging_receiver_delays_callbacks_to_other_urls_by_a_second() -> None:
    async def main() -> None:
        work = [Callback(1000, SLOW, 4), Callback(2000, FAST, 0), Callback(3000, OTHER, 0)]
        shared, result = await advanced(work, {SLOW: TIMEOUT_S})

        assert max(waits_s(shared, FAST) + waits_s(shared, OTHER)) < 1.5
        assert len(result.fired) == 6

    run_virtually(main())


def test_callbacks_to_a_hanging_receiver_delay_others_by_a_second_in_all() -> None:
    async def main() -> None:
        work = [Callback(1000 * n, SLOW, 4) for n in range(1, 5)]
        shared, _ = await advanced([*work, Callback(20_000, FAST, 0)], {SLOW: TIMEOUT_S})

        assert max(waits_s(shared, FAST)) < 1.5

    run_virtually(main())


def test_the_clock_stands_still_while_the_only_receiver_responds() -> None:
    async def main() -> None:
        shared = SharedSandbox(mode="manual", latencies_s=[20.0])
        await shared.begin()
        process = Process(shared, "one")
        for duration_ms in (1000, 2000):
            await process.submit(duration_ms)
        advance = asyncio.ensure_future(process.advance(5000))
        await asyncio.sleep(19)

        assert shared.sandbox.clock(0).now_ms == START_MS + 1000
        await advance

    run_virtually(main())


def test_the_clock_stands_still_for_every_receiver_of_a_sandbox_with_rules() -> None:
    async def main() -> None:
        work = [Callback(1000, SLOW, 0), Callback(2000, FAST, 0)]
        shared, _ = await advanced(work, {SLOW: 20.0}, rules=True)

        assert min(waits_s(shared, FAST)) >= 20

    run_virtually(main())
