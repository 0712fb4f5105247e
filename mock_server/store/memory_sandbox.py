"""Everything of one API key, in this process."""

from collections.abc import Mapping, Sequence

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.clock import Mode, VirtualClock
from mock_server.domain.deliveries import Claim, Deliveries, Delivery
from mock_server.domain.errors import StoreFull, TaskEnded
from mock_server.domain.faults.injected import Injected
from mock_server.domain.journal import Entry, Journal
from mock_server.domain.ledger import Ledger, price_microusd
from mock_server.domain.new_task import new_task
from mock_server.domain.news import Change, News, Recorded, Watcher
from mock_server.domain.planner import Brief
from mock_server.domain.ports import Sent
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.store import ClockReading, Counted, Counters, Refusal, Refused, Seen
from mock_server.domain.submission import Submission
from mock_server.domain.tally import Tally
from mock_server.domain.task import Task, ending_now, state_at
from mock_server.domain.window import Window
from mock_server.store.kept import Kept
from mock_server.store.ruled import Ruled
from mock_server.store.task_bound import TaskBound


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """How every sandbox of a server begins."""

    seed: int
    settings: SandboxSettings
    clock: ClockSettings
    tally: Tally
    rules: tuple[RuleDefinition, ...] = ()
    profile_rules: tuple[RuleDefinition, ...] = ()


class MemorySandbox(Ruled, Kept):
    def __init__(
        self,
        sandbox_id: str,
        beginning: Beginning,
        bound: TaskBound,
        *,
        is_broke: bool,
        real_ms: int,
    ) -> None:
        self.id = sandbox_id
        self.is_dropped = False
        self.used_ms = real_ms
        self._beginning = beginning
        self._bound = bound
        self._is_broke = is_broke
        self._watchers: list[Watcher] = []
        self.settings: SandboxSettings
        self._begin(real_ms)

    async def admit(
        self, model: Model, submission: Submission, brief: Brief, base_url: str, real_ms: int
    ) -> Seen | Refused:
        now_ms = self._enter(real_ms)
        ledger = self._ledger
        if ledger.live >= self.settings.max_concurrent:  # 429s are not counted, LIM-4
            return self._over_concurrency(now_ms)
        if not self._window.admit(now_ms):
            return self._over_rate(now_ms)
        self._requests += 1
        if not ledger.can_pay(price_microusd(model.price_usd, submission.num_images)):
            return Refused(Refusal.CREDITS, now_ms)
        try:
            self._bound.reserve(real_ms)
        except StoreFull:
            return Refused(Refusal.FULL, now_ms)
        self._ordinal += 1
        task = new_task(
            model,
            submission,
            brief,
            base_url,
            seed=self.seed,
            sandbox_id=self.origin,
            ordinal=self._ordinal,
            generation_time_ms=self.settings.generation_time_ms,
            task_ids=self.settings.task_ids,
            now_ms=now_ms,
        )
        self._tasks[task.id] = task
        ledger.open(task)
        self._beginning.tally.submitted += 1
        return Seen(task, now_ms)

    async def observe(self, model_id: str, task_id: str, real_ms: int) -> Seen | Refused:
        now_ms = self._enter(real_ms)
        if not self._window.admit(now_ms):
            return self._over_rate(now_ms)
        self._requests += 1
        task = self._tasks.get(task_id)
        if task is None or task.model_id != model_id:  # STA-2, STA-11
            return Refused(Refusal.NO_TASK, now_ms)
        plan = task.plan
        if plan.polls and plan.end_ms is None:
            task.polls_seen += 1
            if task.polls_seen >= plan.polls:
                self._end(task, now_ms)
                return Seen(task, now_ms, ends_now=True)
        return Seen(task, now_ms)

    async def count(self, real_ms: int) -> Counted | Refused:
        now_ms = self._enter(real_ms)
        if not self._window.admit(now_ms):
            return self._over_rate(now_ms)
        self._requests += 1
        return Counted(now_ms, self._ledger.balance_microusd)

    def record(self, entry: Entry) -> None:
        self._beginning.tally.note(entry)
        self._journal.add(entry)
        if self._watchers:
            self._tell(Recorded(self._journal.last, entry))

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        self._watchers.remove(watcher)

    async def expect_callback(self, task_id: str) -> None:
        task = self._tasks.get(task_id)
        if task is not None and task.callback_url is not None:
            self._deliveries.open(task, task.callback_url)

    async def finish(
        self, task_id: str, fail_code: str | None, fail_message: str | None, real_ms: int
    ) -> Seen | None:
        now_ms = self._enter(real_ms)
        task = self._tasks.get(task_id)
        if task is None:
            return None
        state = state_at(task, now_ms)
        if state.is_final:
            raise TaskEnded(f"the task has ended: {state}")
        forced = fail_code or "success"
        task.plan = msgspec.structs.replace(
            task.plan,
            fail_code=fail_code,
            fail_message=fail_message,
            reasons=(f"forced by control: {forced}", *task.plan.reasons),
        )
        self._end(task, now_ms)
        self._tell(Change.TASK)
        return Seen(task, now_ms)

    async def hasten(self, task_id: str, rule: str, real_ms: int) -> None:
        task = self._tasks[task_id]
        reason = f"{rule}: ends at once, for its callback comes before the submit's answer"
        task.plan = msgspec.structs.replace(task.plan, reasons=(*task.plan.reasons, reason))
        self._end(task, self._enter(real_ms))

    async def task(self, task_id: str, real_ms: int) -> Seen | None:
        task = self._tasks.get(task_id)
        return None if task is None else Seen(task, self._enter(real_ms))

    async def tasks(self, real_ms: int) -> tuple[Sequence[Task], int]:
        return list(reversed(self._tasks.values())), self._enter(real_ms)

    async def entries(self, since: int = 0) -> Sequence[tuple[int, Entry]]:
        return list(self._journal.since(since))

    async def deliveries(self, task_id: str | None = None) -> Sequence[Delivery]:
        if task_id is None:
            return list(self._deliveries)
        delivery = self._deliveries.of_task(task_id)
        return [delivery] if delivery else []

    async def counters(self, real_ms: int) -> Counters:
        self.notice_ends(real_ms)
        return Counters(
            requests=self._requests,
            refused=self._refused,
            succeeded=self._ledger.succeeded,
            failed=self._ledger.failed,
            dropped_tasks=self._dropped_tasks,
            live_tasks=self._ledger.live,
            balance_microusd=self._ledger.balance_microusd,
            journal_entries=len(self._journal),
            journal_bytes=self._journal.bytes,
            journal_dropped=self._journal.dropped,
        )

    async def change(
        self,
        settings: SandboxSettings,
        balance_microusd: int | None,
        real_ms: int,
        profile_rules: Sequence[RuleDefinition] | None = None,
    ) -> None:
        self._enter(real_ms)
        if profile_rules is not None:
            self._book.replace_profile(settings.profile, profile_rules)
        if settings.rate_limit != self.settings.rate_limit:
            self._window.resize(settings.rate_limit)
        if balance_microusd is not None:
            self._ledger.balance_microusd = balance_microusd
        self.settings = settings
        self._tell(Change.SETTINGS)

    async def reset(self, real_ms: int) -> None:
        self._bound.forget(len(self._tasks))
        self._begin(real_ms)
        self._tell(Change.DROPPED)

    async def clock(self, real_ms: int) -> ClockReading:
        clock = self._clock
        return ClockReading(mode=clock.mode, speed=clock.speed, now_ms=clock.now_ms(real_ms))

    async def set_clock(self, mode: Mode, speed: float, real_ms: int) -> ClockReading:
        self._clock.set(mode, speed, real_ms)
        self._tell(Change.CLOCK)
        return await self.clock(real_ms)

    async def hold_clock(self, real_ms: int) -> int:
        self._clock.hold(real_ms)
        return self._clock.now_ms(real_ms)

    async def move_clock(self, instant_ms: int) -> None:
        self._clock.move_to(instant_ms)
        self._tell(Change.CLOCK)

    async def release_clock(self, real_ms: int) -> None:
        self._clock.release(real_ms)

    async def next_due_ms(self) -> int | None:
        return self._deliveries.next_due_ms()

    async def wait_s(self, real_ms: int) -> float | None:
        return await self.wait_until_s(self._deliveries.next_due_ms(), real_ms)

    async def wait_until_s(self, instant_ms: int | None, real_ms: int) -> float | None:
        return None if instant_ms is None else self._clock.real_wait_s(instant_ms, real_ms)

    async def claim(self, real_ms: int) -> Sequence[Claim]:
        return self._deliveries.claim(self._enter(real_ms))

    async def put_off(
        self,
        claim: Claim,
        by_ms: int,
        real_ms: int,
        by: tuple[str, tuple[Injected, ...]],
        *,
        is_overtaken: bool = False,
    ) -> None:
        now_ms = self._enter(real_ms)
        self._deliveries.put_off(claim, by_ms, now_ms, by, is_overtaken=is_overtaken)

    async def settle(self, claim: Claim, sent: Sent, real_ms: int) -> bool:
        return self._deliveries.settle(claim, sent, self._enter(real_ms))

    @property
    def has_live_tasks(self) -> bool:
        """As far as their ends have been noticed."""
        return self._ledger.live > 0

    def notice_ends(self, real_ms: int) -> None:
        """Count and pay what has ended by now, which is no use of the sandbox."""
        self._settle(self._clock.now_ms(real_ms))

    def has_task(self, task_id: str) -> bool:
        return task_id in self._tasks

    def holds(self, task: Task) -> bool:
        return self._tasks.get(task.id) is task

    def drop_task(self, task: Task) -> None:
        del self._tasks[task.id]
        self._deliveries.drop(task.id)
        self._dropped_tasks += 1

    def drop(self) -> int:
        """Let go of everything for good; return the number of tasks."""
        self.is_dropped = True
        self._bound = TaskBound.none()  # who still holds this sandbox takes no room with it
        count = len(self._tasks)
        self._begin(self.used_ms)
        self._tell(Change.DROPPED)
        return count

    async def snapshot(self, real_ms: int) -> Snapshot:
        return self._taken(self._enter(real_ms))

    async def restore(
        self, snapshot: Snapshot, fail_codes: Mapping[str, str], real_ms: int
    ) -> None:
        self._bound.replace(self._tasks, len(snapshot.tasks), real_ms)
        self._begin(real_ms)
        self._put_back(snapshot, fail_codes, real_ms)
        self._bound.note_ended(self, [task for task in snapshot.tasks if task.is_settled])
        self._tell(Change.DROPPED)

    def _begin(self, real_ms: int) -> None:
        self.seed = self._beginning.seed
        self.origin = self.id
        clock = self._beginning.clock
        self._tasks: dict[str, Task] = {}
        self.settings = self._beginning.settings
        self._clock = VirtualClock(clock.mode, clock.speed, real_ms)
        self._window = Window(self.settings.rate_limit)
        self._ledger = Ledger(0 if self._is_broke else self.settings.balance_microusd)
        self._deliveries = Deliveries()
        self._journal = Journal()
        self._book = RuleBook(self.seed, self.origin)
        self._book.replace(self._beginning.rules)
        self._book.replace_profile(self.settings.profile, self._beginning.profile_rules)
        self._ordinal = 0
        self._requests = 0
        self._refused = 0
        self._dropped_tasks = 0

    def _enter(self, real_ms: int) -> int:
        """Return the present instant, with all that has ended by then counted."""
        self.used_ms = real_ms
        now_ms = self._clock.now_ms(real_ms)
        self._settle(now_ms)
        return now_ms

    def _tell(self, news: News) -> None:
        for watcher in tuple(self._watchers):
            watcher(news)

    def _settle(self, now_ms: int) -> None:
        ended = self._ledger.settle(now_ms)
        if ended:
            self._bound.note_ended(self, ended)
            for task in ended:
                self._beginning.tally.ended[task.plan.fail_code or ""] += 1

    def _over_rate(self, now_ms: int) -> Refused:
        self._refused += 1
        return Refused(Refusal.RATE_LIMIT, now_ms, self._window.wait_ms(now_ms))

    def _over_concurrency(self, now_ms: int) -> Refused:
        if self._window.wait_ms(now_ms) > 0:
            return self._over_rate(now_ms)
        self._refused += 1
        next_end_ms = self._ledger.next_end_ms()
        wait_ms = 0 if next_end_ms is None else next_end_ms - now_ms
        return Refused(Refusal.CONCURRENCY, now_ms, wait_ms)

    def _end(self, task: Task, now_ms: int) -> None:
        task.plan = ending_now(task.plan, now_ms)
        self._ledger.expect(task)
        self._settle(now_ms)
        self._deliveries.reschedule(task)
