"""CB-1 … CB-4: when each attempt falls due, and when there is no other."""

from itertools import takewhile

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.deliveries import Deliveries, Delivery, DeliveryState, DueDelivery
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.task import Task
from tests.mock_server.domain.strategies import NOW_MS, task

URL = "http://127.0.0.1/hook"
BETWEEN_MS = (30_000, 120_000, 600_000)

refusals = st.builds(
    DeliveryResult, status=st.integers(100, 599).filter(lambda status: status != 200)
)
silences = st.builds(DeliveryResult, error=st.just("timed out"))
delivered = st.just(DeliveryResult(status=200))
blocked = st.just(DeliveryResult(error="link-local addresses are blocked", is_blocked=True))


class Receiver(msgspec.Struct, frozen=True):
    """What a receiver makes of the attempts at one task, and how long each takes."""

    ends_at_ms: int
    answers: list[DeliveryResult]
    lasting_ms: list[int]


receivers = st.builds(
    Receiver,
    st.integers(0, 100_000),
    st.lists(refusals | silences | delivered | blocked, min_size=4, max_size=4),
    st.lists(st.integers(0, 30_000), min_size=4, max_size=4),
)


def ending_task(number: int, end_ms: int | None) -> Task:
    return task(id=f"task_{number}", ordinal=number + 1, start_ms=NOW_MS, end_ms=end_ms)


def due_of(delivery: Delivery, now_ms: int) -> DueDelivery:
    """Return what whoever makes the attempt of a claimed delivery is told."""
    return DueDelivery(
        task=ending_task(delivery.ordinal - 1, None),
        url=delivery.url,
        claim=delivery.claim,
        attempt=len(delivery.attempts) + 1,
        at_ms=now_ms,
    )


def deliver_all(receivers: list[Receiver]) -> list[Delivery]:
    """Go from instant to instant until nothing is due any more."""
    deliveries = Deliveries()
    for number, receiver in enumerate(receivers):
        deliveries.open(ending_task(number, NOW_MS + receiver.ends_at_ms), URL)
    under_way: list[tuple[int, DueDelivery]] = []
    for _ in range(8 * len(receivers)):  # each attempt begins and ends
        due_ms = deliveries.next_due_ms()
        if due_ms is None and not under_way:
            break
        now_ms = min([*(ends_ms for ends_ms, _ in under_way), due_ms or 10**15])
        for ends_ms, due in list(under_way):
            if ends_ms == now_ms:
                under_way.remove((ends_ms, due))
                receiver = receivers[due.task.ordinal - 1]
                deliveries.record(due, receiver.answers[due.attempt - 1], now_ms)
        assert due_ms is None or due_ms >= now_ms
        for delivery in deliveries.claim(now_ms):
            assert delivery.due_ms is None
            due = due_of(delivery, now_ms)
            receiver = receivers[due.task.ordinal - 1]
            under_way.append((now_ms + receiver.lasting_ms[due.attempt - 1], due))
    return list(deliveries)


def expected_instants(receiver: Receiver) -> list[int]:
    """Each retry counts from the end of the attempt before."""
    heard = list(takewhile(lambda sent: not is_final(sent), receiver.answers))
    at_ms, instants = NOW_MS + receiver.ends_at_ms, []
    for number in range(min(len(heard) + 1, 4)):
        instants.append(at_ms)
        at_ms += receiver.lasting_ms[number] + (*BETWEEN_MS, 0)[number]
    return instants


def is_final(sent: DeliveryResult) -> bool:
    return sent.status == 200 or sent.is_blocked


@given(st.lists(receivers, max_size=5))
def test_every_attempt_is_made_at_its_own_instant(receivers: list[Receiver]) -> None:
    for delivery, receiver in zip(deliver_all(receivers), receivers, strict=True):
        assert [each.at_ms for each in delivery.attempts] == expected_instants(receiver)


@given(st.lists(receivers, max_size=5))
def test_a_delivery_ends_as_its_last_attempt_says(receivers: list[Receiver]) -> None:
    for delivery, receiver in zip(deliver_all(receivers), receivers, strict=True):
        last = receiver.answers[len(delivery.attempts) - 1]
        state = DeliveryState.BLOCKED if last.is_blocked else DeliveryState.FAILED

        assert delivery.state is (DeliveryState.DELIVERED if last.status == 200 else state)
        assert len(delivery.attempts) == 4 or is_final(last)
        assert [(each.status, each.error) for each in delivery.attempts] == [
            (sent.status, sent.error) for sent in receiver.answers[: len(delivery.attempts)]
        ]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(0, 50))
def test_a_claim_takes_all_that_is_due_in_order_of_time_and_nothing_twice(
    ends_ms: list[int], now_ms: int
) -> None:
    deliveries = Deliveries()
    for number, end_ms in enumerate(ends_ms):
        deliveries.open(ending_task(number, NOW_MS + end_ms), URL)

    claimed = deliveries.claim(NOW_MS + now_ms)
    taken = [NOW_MS + ends_ms[delivery.ordinal - 1] for delivery in claimed]

    assert taken == sorted(NOW_MS + end_ms for end_ms in ends_ms if end_ms <= now_ms)
    assert deliveries.claim(NOW_MS + now_ms) == []
    later = [NOW_MS + end_ms for end_ms in ends_ms if end_ms > now_ms]
    assert deliveries.next_due_ms() == min(later, default=None)


@pytest.mark.parametrize("planned_ms", [NOW_MS + 60_000, None], ids=["by time", "held"])
def test_a_task_that_ends_earlier_is_called_back_earlier(planned_ms: int | None) -> None:
    deliveries, ending = Deliveries(), ending_task(0, planned_ms)
    deliveries.open(ending, URL)
    deliveries.reschedule(ending.ended(NOW_MS + 5))

    assert deliveries.next_due_ms() == NOW_MS + 5
    assert [each.task_id for each in deliveries.claim(NOW_MS + 90_000)] == [ending.id]
    assert deliveries.next_due_ms() is None


def test_instants_that_were_changed_do_not_pile_up() -> None:
    deliveries, ending = Deliveries(), ending_task(0, NOW_MS + 10_000)
    deliveries.open(ending, URL)
    for number in range(2000):
        deliveries.reschedule(ending.ended(NOW_MS + 9_000 - number))

    assert len(deliveries._due) < 200
    assert [each.task_id for each in deliveries.claim(NOW_MS + 20_000)] == [ending.id]
    assert deliveries.next_due_ms() is None


def test_a_held_task_is_not_called_back() -> None:
    deliveries = Deliveries()
    deliveries.open(ending_task(0, None), URL)

    assert deliveries.next_due_ms() is None
    assert [delivery.state for delivery in deliveries] == [DeliveryState.PENDING]


def test_a_dropped_task_is_called_back_no_more() -> None:
    deliveries = Deliveries()
    deliveries.open(ending_task(0, NOW_MS), URL)
    deliveries.open(ending_task(1, NOW_MS), URL)
    deliveries.drop("task_0")

    assert [delivery.task_id for delivery in deliveries.claim(NOW_MS)] == ["task_1"]
    assert deliveries.of_task("task_0") is None


def test_an_attempt_under_way_when_its_task_is_dropped_leaves_no_trace() -> None:
    deliveries = Deliveries()
    deliveries.open(ending_task(0, NOW_MS), URL)
    (claimed,) = deliveries.claim(NOW_MS)
    deliveries.drop("task_0")
    deliveries.open(ending_task(0, None), URL)

    assert not deliveries.record(due_of(claimed, NOW_MS), DeliveryResult(status=500), NOW_MS)

    assert deliveries.next_due_ms() is None
    assert [delivery.attempts for delivery in deliveries] == [()]
