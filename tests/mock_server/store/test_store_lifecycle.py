"""Whatever a client and control do, and in whatever order, the store is where the model says."""

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mock_server.domain.planner import PlanRequest
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from mock_server.domain.task import Ending
from tests.mock_server.store.bench import PRICE, NewBench
from tests.properties import examples

RATE, CONCURRENT, BALANCE = 8, 3, 6 * PRICE
WINDOW_MS = 60_000
NOBODY = "task_nobody"

spans_ms = st.integers(0, 20_000)
fail_codes = st.sampled_from([None, None, "NSFW"])


class Expected(msgspec.Struct):
    """What the model knows of a task."""

    start_ms: int
    end_ms: int | None
    polls_left: int
    polls_seen: int
    price: int
    fails: bool


class TaskLifecycle(RuleBasedStateMachine):
    """The model: what time it is, what counted to the rate and when, and when each task ends."""

    tasks: Bundle[str] = Bundle("tasks")

    def __init__(self, new_bench: NewBench) -> None:
        super().__init__()
        self.bench = new_bench(rate_limit=RATE, max_concurrent=CONCURRENT, balance_microusd=BALANCE)
        self.key = self.bench.key()
        self.counted: list[int] = []
        self.expected: dict[str, Expected] = {}

    @rule(
        target=tasks, pending_ms=spans_ms, processing_ms=spans_ms,
        polls=st.sampled_from([0, 0, 1, 3]), is_held=st.sampled_from([False, False, True]),
        images=st.sampled_from([1, 2, 4]), fail_code=fail_codes,
    )  # fmt: skip
    def submit(
        self, pending_ms: int, processing_ms: int, polls: int, *, is_held: bool, images: int,
        fail_code: str | None,
    ) -> str:  # fmt: skip
        brief = PlanRequest(
            ending=Ending(
                polls=0 if is_held else polls, fail_code=fail_code, fail_message=fail_code
            ),
            pending_ms=pending_ms, processing_ms=processing_ms, is_held=is_held,
        )  # fmt: skip
        why_not = self._why_no_submit(images * PRICE)
        answer = self.key.submit(brief, images=images)
        if why_not:
            assert isinstance(answer, Rejection)
            assert answer.reason in why_not
            self.counted += [self.now_ms] * (answer.reason is RejectionReason.CREDITS)
            return NOBODY
        assert isinstance(answer, TaskView)
        self.counted.append(self.now_ms)
        start_ms = self.now_ms + pending_ms
        end_ms = None if is_held or polls else start_ms + processing_ms
        self.expected[answer.task.id] = Expected(
            start_ms, end_ms, 0 if is_held else polls, 0, images * PRICE, fail_code is not None
        )
        return answer.task.id

    @rule(task_id=tasks)
    def ask_for_the_status(self, task_id: str) -> None:
        answer = self.key.status(task_id)
        if not self._has_rate():
            assert isinstance(answer, Rejection)
            assert answer.reason is RejectionReason.RATE_LIMIT
            return
        self.counted.append(self.now_ms)
        task = self.expected.get(task_id)
        if task is None:
            assert isinstance(answer, Rejection)
            assert answer.reason is RejectionReason.UNKNOWN_TASK
            return
        assert isinstance(answer, TaskView)
        if task.polls_left:
            task.polls_left -= 1
            task.polls_seen += 1
            task.end_ms = None if task.polls_left else self.now_ms

    @rule(by_ms=spans_ms | st.just(WINDOW_MS))
    def time_passes(self, by_ms: int) -> None:
        self.bench.pass_time(by_ms)

    @rule(task_id=tasks, fail_code=fail_codes)
    def control_ends_it(self, task_id: str, fail_code: str | None) -> None:
        task = self.expected.get(task_id)
        answer = self.key.finish(task_id, fail_code)
        if isinstance(answer, Rejection):
            expected = RejectionReason.UNKNOWN_TASK if task is None else RejectionReason.TASK_ENDED
            assert answer.reason is expected
            assert task is None or not self._is_live(task)
            return
        assert task is not None
        assert self._is_live(task)
        task.end_ms, task.polls_left = self.now_ms, 0
        task.fails = fail_code is not None

    @rule()
    def reset(self) -> None:
        self.key.reset()
        self.counted.clear()
        self.expected.clear()

    @invariant()
    def the_store_is_where_the_model_says(self) -> None:
        counters = self.key.counters()
        ended = [task for task in self.expected.values() if not self._is_live(task)]

        assert counters.live_tasks == self._live()
        assert counters.balance_microusd == self._balance()
        assert counters.failed == sum(task.fails for task in ended)
        assert counters.succeeded == len(ended) - counters.failed
        assert counters.requests == len(self.counted)
        assert self.key.states() == {
            task_id: self._state(task) for task_id, task in self.expected.items()
        }

    @property
    def now_ms(self) -> int:
        return self.bench.real_ms

    def _why_no_submit(self, price: int) -> set[RejectionReason]:
        over = {RejectionReason.CONCURRENCY} if self._live() >= CONCURRENT else set()
        over |= set() if self._has_rate() else {RejectionReason.RATE_LIMIT}
        return over or ({RejectionReason.CREDITS} if self._balance() < price else set())

    def _has_rate(self) -> bool:
        return sum(instant > self.now_ms - WINDOW_MS for instant in self.counted) < RATE

    def _is_live(self, task: Expected) -> bool:
        return task.end_ms is None or task.end_ms > self.now_ms

    def _live(self) -> int:
        return sum(self._is_live(task) for task in self.expected.values())

    def _balance(self) -> int:
        billed = (
            task.price for task in self.expected.values() if self._is_live(task) or not task.fails
        )
        return BALANCE - sum(billed)

    def _state(self, task: Expected) -> str:
        if not self._is_live(task):
            return "failed" if task.fails else "success"
        if task.polls_left:
            return "pending" if task.polls_seen < 2 else "processing"
        return "pending" if self.now_ms < task.start_ms else "processing"


@pytest.mark.deep
def test_the_store_is_always_where_the_model_says(new_bench: NewBench) -> None:
    class ThisLifecycle(TaskLifecycle):
        def __init__(self) -> None:
            super().__init__(new_bench)

    run_state_machine_as_test(
        ThisLifecycle,
        settings=examples(100, steps=30),
    )
