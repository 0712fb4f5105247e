"""What the dispatcher does for a sandbox ends with the sandbox, whatever removes it."""

import asyncio
from collections.abc import Iterator

import pytest

from mock_server.domain.commands import HoldClock
from mock_server.domain.deliveries import DeliveryState
from mock_server.domain.dispatching import SandboxDropped
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.runtime.callback_attempts import CallbackAttempts
from mock_server.runtime.dispatcher import Dispatcher
from mock_server.runtime.pattern_search import RegexPatternSearch
from mock_server.runtime.resuming import resume
from tests.mock_server.store.bench import START_MS, Bench, Key, NewBench, lasting
from tests.patience import PATIENCE_S

MANUAL = ClockSettings(mode="manual")


class StandingClock:
    def now_ns(self) -> int:
        return START_MS * 1_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns()

    def shift(self, by_ms: int) -> None:
        """Stand still: the commands of a bench have their own instants."""


class HangingSender:
    """Lets every attempt hang until it is cancelled, or until `released` lets it fail."""

    def __init__(self) -> None:
        self.arrived = asyncio.Semaphore(0)
        self.cancelled = asyncio.Semaphore(0)
        self.released = asyncio.Event()

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        self.arrived.release()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.release()
            raise
        return DeliveryResult(status=500)

    async def aclose(self) -> None: ...


class Deliverer:
    """A dispatcher over the store of a bench, with a sender that hangs."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.sender = HangingSender()
        attempts = CallbackAttempts(
            bench.store,
            RuleMatcher(bench.store, RegexPatternSearch()),
            clock=StandingClock(),
            make_sender=lambda: self.sender,
            encode_status=lambda task, now_ms, sandbox: b"{}",
            log_text=lambda sandbox_id, text: text,
        )
        self.dispatcher = Dispatcher(bench.store, attempts, clock=StandingClock())

    def send(self, key: Key) -> None:
        """Let an attempt begin, which then hangs."""
        key.callback_task(lasting(0))

        async def wake() -> None:
            self.dispatcher.wake(key.id)
            await self.sender.arrived.acquire()

        self.bench.run(wake())

    def wait_for_cancellation(self) -> None:
        async def wait() -> None:
            async with asyncio.timeout(30):
                await self.sender.cancelled.acquire()

        self.bench.run(wait())

    def crash(self) -> None:
        """End as a killed process does: no result is recorded, and no claim is released."""
        self.bench.run(self.dispatcher._lanes.cancel())

    def close(self) -> None:
        self.sender.released.set()  # A durable store gives attempts some seconds to end.
        self.bench.run(self.dispatcher.aclose())


@pytest.fixture
def deliverer(new_bench: NewBench) -> Iterator[Deliverer]:
    """Deliver in a store that keeps one sandbox and evicts it when another key comes."""
    deliverer = Deliverer(new_bench(max_sandboxes=1, clock=MANUAL))
    yield deliverer
    deliverer.close()


def test_eviction_cancels_the_attempts_of_a_sandbox(deliverer: Deliverer) -> None:
    deliverer.send(deliverer.bench.key("evicted"))
    deliverer.bench.key("other")

    deliverer.wait_for_cancellation()


def test_attempt_of_an_evicted_sandbox_is_none_of_its_successor(deliverer: Deliverer) -> None:
    """Both sandboxes begin from one seed, so task id and claim are the same."""
    deliverer.send(deliverer.bench.key("same"))
    deliverer.bench.key("other")
    again = deliverer.bench.key("same")
    deliverer.send(again)
    deliverer.wait_for_cancellation()

    [delivery] = again.sandbox.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, ())


def test_advance_of_an_evicted_sandbox_moves_no_other_clock(deliverer: Deliverer) -> None:
    bench = deliverer.bench
    evicted = bench.key("same")
    evicted.callback_task(lasting(1000))

    async def begin_advance() -> "asyncio.Task[object]":
        advance = asyncio.ensure_future(deliverer.dispatcher.advance(evicted.id, 60_000))
        await deliverer.sender.arrived.acquire()
        return advance

    advance = bench.run(begin_advance())
    bench.key("other")
    again = bench.key("same")

    async def end_advance() -> None:
        deliverer.sender.released.set()
        with pytest.raises(SandboxDropped):
            await advance

    bench.run(end_advance())
    assert again.sandbox.clock(START_MS).now_ms == START_MS


@pytest.mark.parametrize("removal", ["reset", "remove", "drop_all", "eviction"])
def test_nothing_is_kept_for_a_sandbox_that_is_gone(deliverer: Deliverer, removal: str) -> None:
    bench = deliverer.bench
    key = bench.key("gone")
    deliverer.send(key)
    match removal:
        case "reset":
            key.reset()
        case "remove":
            bench.run(bench.store.remove(key.id))
        case "drop_all":
            bench.run(bench.store.drop_all())
        case "eviction":
            bench.key("other")
    deliverer.wait_for_cancellation()

    assert deliverer.dispatcher.is_idle


def test_advance_of_a_missing_sandbox_leaves_nothing_behind(deliverer: Deliverer) -> None:
    key = deliverer.bench.key("gone")
    deliverer.bench.key("other")

    with pytest.raises(SandboxDropped):
        deliverer.bench.run(deliverer.dispatcher.advance(key.id, 1000))
    assert deliverer.dispatcher.is_idle


def test_attempt_of_a_process_that_ended_is_made_again(new_bench: NewBench) -> None:
    """Nobody knows whether the receiver has got it; CB-4 allows a second one."""
    bench = new_bench(clock=MANUAL)
    key = bench.key()
    before = Deliverer(bench)
    before.send(key)
    key.callback_task(lasting(0))
    before.crash()
    claimed = key.sandbox.claims_of(bench.store.owner)
    after = Deliverer(bench)

    async def start_again() -> None:
        await resume(bench.store, after.dispatcher, START_MS)
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(2):
                await after.sender.arrived.acquire()

    bench.run(start_again())

    assert claimed == {1}
    assert key.sandbox.claims_of(bench.store.owner) == {2, 3}
    after.close()


def test_callback_that_was_delivered_is_not_sent_again(new_bench: NewBench) -> None:
    bench = new_bench(clock=MANUAL)
    key = bench.key()
    key.callback_task(lasting(0))
    key.deliver(DeliveryResult(status=200))
    after = Deliverer(bench)
    bench.run(resume(bench.store, after.dispatcher, START_MS))

    assert after.dispatcher.is_idle


def test_clock_that_was_held_by_a_process_that_ended_continues(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    key.execute(HoldClock)
    bench.pass_time(1000)
    after = Deliverer(bench)
    bench.run(resume(bench.store, after.dispatcher, bench.real_ms))
    bench.pass_time(500)

    assert key.sandbox.clock(bench.real_ms).now_ms == START_MS + 500
