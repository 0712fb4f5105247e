"""Several processes share a store: each attempt has one owner, and the clock one holder."""

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mock_server.domain.commands import (
    ClaimDeliveries,
    HoldClock,
    MoveClock,
    RecordDelivery,
    ReleaseClaims,
    ReleaseClock,
)
from mock_server.domain.deliveries import RETRY_AFTER_MS, DueDelivery
from mock_server.domain.ports import DeliveryResult
from tests.mock_server.store.bench import NewBench, lasting
from tests.properties import examples

OWNERS = ("", "one", "other")

owners = st.sampled_from(OWNERS)
spans_ms = st.sampled_from([0, 0, 1, 500, 30_000])


class Expected(msgspec.Struct):
    """What the model knows of a delivery: when it is due, or who makes its attempt."""

    ordinal: int
    due_ms: int | None
    owner: str | None = None
    claim: int = 0
    attempts: int = 0


class ClaimsBesideTheirModel(RuleBasedStateMachine):
    def __init__(self, new_bench: NewBench) -> None:
        super().__init__()
        self.bench = new_bench(rate_limit=1000, max_concurrent=1000, balance_microusd=10**9)
        self.key = self.bench.key()
        self.now_ms = self.bench.real_ms
        self.holder: str | None = None
        self.expected: dict[str, Expected] = {}
        self.claimed: list[DueDelivery] = []

    @rule(durations_ms=st.lists(spans_ms, min_size=1, max_size=3))
    def submit(self, durations_ms: list[int]) -> None:
        for duration_ms in durations_ms:
            task = self.key.callback_task(lasting(duration_ms))
            self.expected[task.id] = Expected(task.ordinal, self.now_ms + duration_ms)

    @rule(by_ms=spans_ms)
    def time_passes(self, by_ms: int) -> None:
        self.bench.pass_time(by_ms)
        self.now_ms += by_ms if self.holder is None else 0

    @rule(owner=owners, limit=st.none() | st.integers(1, 3))
    def claim(self, owner: str, limit: int | None) -> None:
        claimed = self.key.execute(ClaimDeliveries, owner=owner, limit=limit)

        due = [] if self._is_held_from(owner) else self._due()[:limit]
        assert [(each.task.id, each.attempt) for each in claimed] == due
        for each in claimed:
            expected = self.expected[each.task.id]
            expected.due_ms, expected.owner, expected.claim = None, owner, each.claim
        self.claimed += claimed

    @rule(
        nth=st.integers(0, 5),
        status=st.sampled_from([200, 500]),
        ago_ms=st.none() | st.integers(0, 40_000),
    )
    def an_attempt_ends(self, nth: int, status: int, ago_ms: int | None) -> None:
        """Record a result, maybe twice, or of a claim that was released."""
        if not self.claimed:
            return
        claimed = self.claimed[nth % len(self.claimed)]
        delivered = DeliveryResult(status=status)
        ended_ms = None if ago_ms is None else self.now_ms - ago_ms
        is_recorded = self.key.execute(
            RecordDelivery, claimed=claimed, delivered=delivered, ended_ms=ended_ms
        )

        expected = self.expected.get(claimed.task.id)
        assert is_recorded == (expected is not None and expected.claim == claimed.claim)
        if is_recorded and expected is not None:
            if status != 200 and expected.attempts < len(RETRY_AFTER_MS):
                expected.due_ms = self.now_ms - (ago_ms or 0) + RETRY_AFTER_MS[expected.attempts]
            expected.owner, expected.claim = None, 0
            expected.attempts += 1

    @rule(owner=owners, keeps_odd=st.booleans())
    def claims_are_released(self, owner: str, *, keeps_odd: bool) -> None:
        stay = tuple(each.claim for each in self.claimed if each.claim % 2) if keeps_odd else None
        released = self.key.execute(ReleaseClaims, owner=owner, kept=stay)

        if stay is None and self.holder == owner:
            self.holder = None
        ended = [
            each
            for each in self.expected.values()
            if each.owner == owner and each.claim not in (stay or ())
        ]
        assert released == len(ended)
        for each in ended:
            each.due_ms, each.owner, each.claim = self.now_ms, None, 0

    @rule(owner=owners)
    def hold(self, owner: str) -> None:
        from_ms = self.key.execute(HoldClock, owner=owner)

        assert from_ms == (None if self._is_held_from(owner) else self.now_ms)
        self.holder = owner if self.holder is None else self.holder

    @rule(owner=owners, by_ms=spans_ms)
    def move(self, owner: str, by_ms: int) -> None:
        is_moved = self.key.execute(MoveClock, instant_ms=self.now_ms + by_ms, owner=owner)

        assert is_moved == (self.holder == owner)
        self.now_ms += by_ms if is_moved else 0

    @rule(owner=owners)
    def release_clock(self, owner: str) -> None:
        self.key.execute(ReleaseClock, owner=owner)
        self.holder = None if self.holder == owner else self.holder

    @rule()
    def reset(self) -> None:
        self.key.reset()
        self.now_ms, self.holder = self.bench.real_ms, None
        self.expected.clear()

    @invariant()
    def the_sandbox_is_where_the_model_says(self) -> None:
        sandbox, in_progress = self.key.sandbox, self._in_progress()
        due = [each.due_ms for each in self.expected.values() if each.due_ms is not None]

        assert sandbox.clock(self.bench.real_ms).now_ms == self.now_ms
        assert sandbox.clock_holder == self.holder
        assert sandbox.next_due_ms() == min(due, default=None)
        assert sandbox.claim_owners() == {owner for owner, claims in in_progress.items() if claims}
        for task_id, each in self.expected.items():
            assert sandbox.claim_of(task_id) == each.claim
        for owner, claims in in_progress.items():
            assert sandbox.claims_of(owner) == claims - {0}

    def _in_progress(self) -> dict[str, set[int]]:
        """Return the claims by owner; the held clock counts as claim 0."""
        claims: dict[str, set[int]] = {owner: set() for owner in OWNERS}
        if self.holder is not None:
            claims[self.holder].add(0)
        for each in self.expected.values():
            if each.owner is not None:
                claims[each.owner].add(each.claim)
        return claims

    def _due(self) -> list[tuple[str, int]]:
        due = [
            (each.due_ms, each.ordinal, task_id, each.attempts + 1)
            for task_id, each in self.expected.items()
            if each.due_ms is not None and each.due_ms <= self.now_ms
        ]
        return [(task_id, attempt) for _, _, task_id, attempt in sorted(due)]

    def _is_held_from(self, owner: str) -> bool:
        return self.holder not in {None, owner}


@pytest.mark.deep
def test_claims_are_always_where_the_model_says(new_bench: NewBench) -> None:
    class TheseClaims(ClaimsBesideTheirModel):
        def __init__(self) -> None:
            super().__init__(new_bench)

    # The memory store tries the domain; the others need to show only that they are like it.
    number = 50 if new_bench().store.is_durable else 200
    run_state_machine_as_test(TheseClaims, settings=examples(number, steps=50))
