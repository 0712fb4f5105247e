"""Callback tasks for several processes: how they are drawn, submitted and counted."""

from collections import Counter

import msgspec
from hypothesis import strategies as st

from mock_server.domain.deliveries import DeliveryState
from tests.mock_server.runtime.processes import Outage, Process, SharedSandbox


class Work(msgspec.Struct, frozen=True):
    """A callback task: when and where it is submitted, and how long it takes."""

    at_s: float
    process: int
    duration_ms: int
    failures: int


instants_s = st.floats(0, 10)
works = st.lists(
    st.builds(
        Work,
        instants_s,
        st.integers(0, 1),
        st.sampled_from([0, 1, 3000, 3000, 8000]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    min_size=1,
    max_size=6,
)
latencies = st.lists(st.sampled_from([0.0, 0.05, 2.0, 20.0]), min_size=1, max_size=3)
outages = st.builds(
    lambda from_s, for_s, *, is_applied: Outage(from_s, from_s + for_s, is_applied),
    instants_s,
    st.sampled_from([0.5, 3.0, 10.0]),
    is_applied=st.booleans(),
)


async def submit(shared: SharedSandbox, process: Process, work: Work) -> str:
    task_id = await process.submit(work.duration_ms)
    shared.failures[task_id] = work.failures
    return task_id


def are_delivered(shared: SharedSandbox, count: int) -> bool:
    states = [delivery.state for delivery in shared.sandbox.deliveries()]
    return states.count(DeliveryState.DELIVERED) == count


def expected(shared: SharedSandbox, task_ids: list[str]) -> Counter[str]:
    """Return how many callbacks of each task a receiver gets if none is repeated."""
    return Counter({task_id: 1 + shared.failures[task_id] for task_id in task_ids})
