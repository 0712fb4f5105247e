"""Live tasks and money: what counts is the balance after the end (LIM-2, BIL-1, FAIL-5)."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mock_server.domain.ledger import NEVER_MS, Ledger
from mock_server.domain.task import Task
from tests.mock_server.domain.strategies import NOW_MS, task
from tests.properties import examples

BALANCE = 1_000_000

prices = st.sampled_from([0, 35_000, 70_000, 140_000])
spans_ms = st.integers(0, 20)


class LedgerBesideItsModel(RuleBasedStateMachine):
    """The model: the tasks, looked through every time, and what time it is."""

    @initialize()
    def begin(self) -> None:
        self.stored: dict[str, Task] = {}
        self.ledger = Ledger(self.stored, BALANCE)
        self.now_ms = NOW_MS
        self.tasks: list[Task] = []
        self.settled: list[int] = []
        self.added = 0  # By `set_balance`.

    @rule(price=prices, ends_in_ms=st.none() | spans_ms, is_failing=st.booleans())
    def open(self, price: int, ends_in_ms: int | None, *, is_failing: bool) -> None:
        self._settle()
        ordinal = len(self.tasks) + 1
        opened = task(
            id=f"task_{ordinal}",
            ordinal=ordinal,
            created_ms=self.now_ms,
            start_ms=self.now_ms,
            end_ms=None if ends_in_ms is None else self.now_ms + ends_in_ms,
            price_microusd=price,
            fail_code="NSFW" if is_failing else None,
        )  # fmt: skip
        self.tasks.append(opened)
        self.stored[opened.id] = opened
        self.ledger.open(opened)

    @rule(by_ms=spans_ms)
    def time_moves(self, by_ms: int) -> None:
        self.now_ms += by_ms

    @precondition(lambda self: any(self._is_live(each) for each in self.tasks))
    @rule(data=st.data())
    def control_ends_one(self, data: st.DataObject) -> None:
        self._settle()
        live = [each for each in self.tasks if self._is_live(each)]
        if live:
            chosen = data.draw(st.sampled_from(live))
            ended = chosen.ended(self.now_ms)
            self.tasks[self.tasks.index(chosen)] = self.stored[ended.id] = ended
            self.ledger.expect(ended)

    @rule(limit=st.none() | st.integers(1, 3))
    def settle(self, limit: int | None) -> None:
        self._settle(limit)

    @rule(balance=st.integers(0, BALANCE))
    def set_balance(self, balance: int) -> None:
        self.ledger.set_balance(balance, self.now_ms)

        assert self.ledger.balance_at(self.now_ms) == balance
        self.added += balance - self._balance(self._ended())

    def _settle(self, limit: int | None = None) -> None:
        newly = [
            each.ordinal
            for each in sorted(self.tasks, key=lambda each: (each.end_ms or 0, each.ordinal))
            if not self._is_live(each) and each.ordinal not in self.settled
        ]

        settled = [each.ordinal for each in self.ledger.settle(self.now_ms, limit)]

        assert settled == newly[: len(settled)]
        assert settled == newly or (limit is not None and self.ledger.due_ms <= self.now_ms)
        assert limit is None or len(settled) <= limit
        self.settled += settled

    @invariant()
    def it_counts_and_pays_what_has_been_settled(self) -> None:
        settled = [each for each in self.tasks if each.ordinal in self.settled]

        assert self.ledger.live == len(self.tasks) - len(settled)
        assert self.ledger.balance_microusd == self._balance(settled)
        assert self.ledger.balance_at(self.now_ms) == self._balance(self._ended())
        assert self.ledger.failed == sum(each.ending.fail_code is not None for each in settled)
        assert self.ledger.succeeded == len(settled) - self.ledger.failed

    @invariant()
    def it_knows_the_next_end(self) -> None:
        ends_ms = [
            each.end_ms
            for each in self.tasks
            if each.ordinal not in self.settled and each.end_ms is not None
        ]

        assert self.ledger.next_end_ms() == min(ends_ms, default=None)
        assert self.ledger.due_ms <= min(ends_ms, default=NEVER_MS)

    def _ended(self) -> list[Task]:
        return [each for each in self.tasks if not self._is_live(each)]

    def _balance(self, ended: list[Task]) -> int:
        refunded = sum(each.order.price_microusd for each in ended if each.ending.fail_code)
        taken = sum(each.order.price_microusd for each in self.tasks)
        return BALANCE + self.added - taken + refunded

    def _is_live(self, each: Task) -> bool:
        return each.end_ms is None or each.end_ms > self.now_ms


TestLedgerBesideItsModel = LedgerBesideItsModel.TestCase
TestLedgerBesideItsModel.settings = examples(50)


def test_ends_that_were_forestalled_do_not_pile_up() -> None:
    tasks: dict[str, Task] = {}
    ledger = Ledger(tasks, BALANCE)
    for ordinal in range(1, 2001):
        opened = task(id=f"task_{ordinal}", ordinal=ordinal, price_microusd=0)
        tasks[opened.id] = opened
        ledger.open(opened)
        if ordinal % 100:
            tasks[opened.id] = opened.ended(NOW_MS)
            ledger.expect(tasks[opened.id])
            ledger.settle(NOW_MS)

    assert (ledger.live, ledger.succeeded) == (20, 1980)
    assert len(ledger._ends) < 200
    assert [each.ordinal for each in ledger.settle(NOW_MS + 10_000)] == list(range(100, 2001, 100))


def test_restored_ledger_settles_its_live_tasks_when_they_end() -> None:
    ended, live = task(id="task_1", is_settled=True), task(id="task_2", ordinal=2)
    ledger = Ledger({each.id: each for each in (ended, live)}, BALANCE)
    ledger.succeeded = 1
    for each in (ended, live):
        ledger.resume(each)

    assert (ledger.live, ledger.due_ms) == (1, live.end_ms)
    assert [each.ordinal for each in ledger.settle(ledger.due_ms)] == [2]
    assert (ledger.live, ledger.succeeded) == (0, 2)


@given(st.lists(st.tuples(prices, st.booleans()), max_size=10))
def test_after_the_end_only_successes_are_billed(ends: list[tuple[int, bool]]) -> None:
    tasks: dict[str, Task] = {}
    ledger = Ledger(tasks, BALANCE)
    for ordinal, (price, is_failing) in enumerate(ends, start=1):
        opened = task(
            id=f"task_{ordinal}",
            ordinal=ordinal,
            end_ms=NOW_MS,
            price_microusd=price,
            fail_code="NSFW" if is_failing else None,
        )
        tasks[opened.id] = opened
        ledger.open(opened)

    ledger.settle(NOW_MS)

    billed = sum(price for price, is_failing in ends if not is_failing)
    assert (ledger.live, ledger.balance_microusd) == (0, BALANCE - billed)
