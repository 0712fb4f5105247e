"""Simulate several processes that share a sandbox, by dispatchers in one event loop.

Their common store behaves as one behind a network does: every operation waits, a process learns
what others did when it uses the store next, the clocks of the machines differ, and sometimes the
store cannot be reached.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from mock_server.domain.commands import Command, ExpectCallback, R, Submit
from mock_server.domain.dispatching import Advanced
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.events import Follower, Notice
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.results import TaskView
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.store import SandboxReader
from mock_server.domain.submission import Submission
from mock_server.runtime.callback_attempts import CallbackAttempts
from mock_server.runtime.dispatcher import Dispatcher
from mock_server.runtime.lanes import LaneLimits
from mock_server.runtime.pattern_search import RegexPatternSearch
from mock_server.store.dead_owners import release_dead
from mock_server.store.log_order import LogOrder
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.store.bench import CATALOGUE, HOOK, MODEL, START_MS, lasting

ID = "0123456789abcdef"
LEASE_S = 15.0
_ROUND_TRIP_S = 0.001


class Post(msgspec.Struct, frozen=True):
    """A callback that a receiver has got."""

    task_id: str
    owner: str
    at_ms: int  # Of the sandbox's clock.
    url: str
    at_s: float  # This is on the clock of the event loop.
    has_claim: bool  # Whether the process had claimed the attempt at that time.


class Outage(msgspec.Struct, frozen=True):
    """When the commands of a process fail, and whether they are applied all the same."""

    from_s: float
    until_s: float
    is_applied: bool


class LoopClock:
    """The clock of a machine, which differs from the others."""

    def __init__(self, skew_ms: int) -> None:
        self._skew_ms = skew_ms

    def now_ns(self) -> int:
        passed_ms = int(asyncio.get_running_loop().time() * 1000)
        return (START_MS + self._skew_ms + passed_ms) * 1_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns()

    def shift(self, by_ms: int) -> None:
        self._skew_ms += by_ms


class ProcessStore(MemoryStore):
    """What one process sees of the common store."""

    is_immediate = False
    is_durable = True

    def __init__(self, shared: "SharedSandbox", owner: str) -> None:
        self.__dict__.update(shared.store.__dict__)  # The same sandboxes and followers.
        self.owner = owner
        self.outages: list[Outage] = []
        self.is_dead = False
        self._shared = shared
        self._connection = asyncio.Lock()
        self._news: list[tuple[Follower, Notice]] = []
        self._inner: dict[Follower, Follower] = {}

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        await self._wait()
        outage = self._outage()
        if outage is not None and not outage.is_applied:
            raise StoreUnavailable("the store is away")
        result = await super().execute(sandbox_id, self._shared.order.placed(command))
        await self._wait()
        if outage is not None:
            raise StoreUnavailable("the store did not answer in time")
        self._tell_news()
        return result

    async def read(self, sandbox_id: str) -> Sandbox | None:
        await self._wait()
        outage = self._outage()
        if outage is not None and not outage.is_applied:
            raise StoreUnavailable("the store is away")
        self._tell_news()
        return await super().read(sandbox_id)

    def follow(self, sandbox_id: str, follower: Follower, *, is_passive: bool = False) -> None:
        def note(notice: Notice) -> None:
            self._news.append((follower, notice))

        self._inner[follower] = note
        super().follow(sandbox_id, note, is_passive=is_passive)

    def unfollow(self, sandbox_id: str, follower: Follower) -> None:
        super().unfollow(sandbox_id, self._inner.pop(follower))

    async def _wait(self) -> None:
        async with self._connection:  # Operations keep their order.
            await asyncio.sleep(_ROUND_TRIP_S)
        if self.is_dead:
            await asyncio.Event().wait()

    def _outage(self) -> Outage | None:
        now_s = asyncio.get_running_loop().time()
        return next((each for each in self.outages if each.from_s <= now_s < each.until_s), None)

    def _tell_news(self) -> None:
        news, self._news = self._news, []
        for follower, notice in news:
            if follower in self._inner:
                follower(notice)


class Process:
    """A process with its dispatcher."""

    def __init__(
        self,
        shared: "SharedSandbox",
        owner: str,
        *,
        skew_ms: int = 0,
        limits: LaneLimits | None = None,
        store: ProcessStore | None = None,
    ) -> None:
        self.owner = owner
        self.store = store or ProcessStore(shared, owner)
        self._clock = LoopClock(skew_ms)
        self._shared = shared
        attempts = CallbackAttempts(
            self.store,
            RuleMatcher(self.store, RegexPatternSearch()),
            clock=self._clock,
            make_sender=lambda: self,
            encode_status=lambda task, now_ms, seed: msgspec.json.encode([task.id, now_ms]),
            log_text=lambda sandbox_id, text: text,
        )
        self.dispatcher = Dispatcher(self.store, attempts, clock=self._clock, limits=limits)

    async def submit(self, duration_ms: int, url: str = HOOK) -> str:
        """Submit a callback task that takes this time, and answer; return its id."""
        submission = Submission(prompt="a fox", ratio="1:1", num_images=1, callback_url=url)
        submit = Submit(
            real_ms=self.real_ms(),
            model_id=MODEL.id,
            submission=submission,
            plan_request=lasting(duration_ms),
            base_url="http://mock",
        )
        view = await self.store.execute(ID, submit)
        assert isinstance(view, TaskView)
        expect = ExpectCallback(real_ms=self.real_ms(), task_id=view.task.id)
        await self.store.execute(ID, expect)
        self.dispatcher.wake(ID)
        return view.task.id

    async def advance(self, by_ms: int) -> Advanced:
        return await self.dispatcher.advance(ID, by_ms)

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        """Implement `Sender` for this process."""
        if self.store.is_dead:
            await asyncio.Event().wait()
        task_id, at_ms = msgspec.json.decode(body)
        sandbox = self._shared.sandbox
        has_claim = self.owner in sandbox.claim_owners() and sandbox.claim_of(task_id) > 0
        at_s = asyncio.get_running_loop().time()
        self._shared.posts.append(Post(task_id, self.owner, at_ms, url, at_s, has_claim))
        await asyncio.sleep(self._shared.latency_s(task_id, url))
        return DeliveryResult(status=self._shared.status(task_id))

    async def aclose(self) -> None:
        """Implement `Sender` for this process."""

    def kill(self) -> set[str]:
        """End as after `kill -9`; return the tasks whose attempts it had claimed."""
        self.store.is_dead = True
        return {
            delivery.task_id
            for delivery in self._shared.sandbox.deliveries()
            if delivery.claim and delivery.owner == self.owner
        }

    async def release(self, dead: "Process") -> None:
        """Do what the store does after the lease of a process that was killed has ended."""

        async def alive(owners: frozenset[str]) -> frozenset[str]:
            return owners - {dead.owner}

        await release_dead(self.store, ID, alive, real_ms=self.real_ms())
        self.dispatcher.wake(ID)

    def real_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


class SharedSandbox:
    """The common store with one sandbox, and what the receiver got.

    `latency_s` and `status` say how the receiver answers the callback of a task.
    """

    def __init__(self, *, mode: str = "real", latencies_s: Sequence[float] = (0.2,)) -> None:
        settings = SandboxSettings(
            rate_limit=1000, max_concurrent=1000, balance_microusd=1_000_000_000
        )
        template = SandboxTemplate(
            seed=7,
            settings=settings,
            clock=ClockSettings(mode="manual" if mode == "manual" else "real"),
            models=CATALOGUE.models,
            fail_messages=CATALOGUE.fail_messages,
        )
        self.store = MemoryStore(template)
        self.order = LogOrder()
        self.posts: list[Post] = []
        self.failures: Counter[str] = Counter()  # How often the receiver answers with 500.
        self.latencies_of_s: dict[str, float] = {}  # For these URLs, instead of `_latencies_s`.
        self._latencies_s = latencies_s
        self._answered: Counter[str] = Counter()

    async def begin(self) -> None:
        await self.store.open(ID, is_broke=False, real_ms=START_MS)

    @property
    def sandbox(self) -> SandboxReader:
        return self.store._sandboxes[ID]

    def latency_s(self, task_id: str, url: str) -> float:
        latency_s = self.latencies_of_s.get(url)
        if latency_s is None:
            return self._latencies_s[sum(map(ord, task_id)) % len(self._latencies_s)]
        return latency_s

    def status(self, task_id: str) -> int:
        self._answered[task_id] += 1
        return 500 if self._answered[task_id] <= self.failures[task_id] else 200

    def received(self) -> Counter[str]:
        return Counter(post.task_id for post in self.posts)

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Let time pass until something is true, at most five minutes."""
        async with asyncio.timeout(300):
            while not is_true():  # noqa: ASYNC110  # there is no event for any condition
                await asyncio.sleep(0.5)
