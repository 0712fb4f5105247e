"""A slow receiver delays no other: keys, and the receivers of a key, take turns."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.runtime.lanes import LaneLimits, Lanes
from tests.mock_server.runtime.virtual_loop import run_virtually

TIMEOUT_S = 30.0
URL = "http://127.0.0.1:9000/hook"
OTHER_PATH = "http://127.0.0.1:9000/other"


class Job:
    """An attempt that takes some seconds. It notes when it starts."""

    def __init__(
        self,
        duration_s: float = 0.0,
        *,
        is_answered: bool | None = True,
        instant_ms: int | None = None,
        log: "Log | None" = None,
        lane: tuple[str, str] = ("", ""),
    ) -> None:
        self.duration_s = duration_s
        self.is_answered = is_answered
        self.instant_ms = instant_ms
        self.started_s: float | None = None
        self.lane = lane
        self._log = log

    async def run(self) -> bool | None:
        self.started_s = asyncio.get_running_loop().time()
        if self._log is not None:
            self._log.start(self)
        try:
            await asyncio.sleep(self.duration_s)
        finally:
            if self._log is not None:
                self._log.end(self)
        return self.is_answered


class Log:
    """The attempts in progress, and the order in which they started."""

    def __init__(self) -> None:
        self.running: list[Job] = []
        self.started: list[Job] = []
        self.most = self.most_in_lane = self.most_at_origin = 0

    def start(self, job: Job) -> None:
        self.started.append(job)
        self.running.append(job)
        of_lane = [each for each in self.running if each.lane == job.lane]
        assert len({each.instant_ms for each in of_lane if each.instant_ms is not None}) <= 1
        self.most = max(self.most, len(self.running))
        self.most_in_lane = max(self.most_in_lane, len(of_lane))
        origins = Counter((key, url.rpartition("/")[0]) for key, url in self._lanes())
        self.most_at_origin = max(self.most_at_origin, *origins.values())

    def end(self, job: Job) -> None:
        self.running.remove(job)

    def _lanes(self) -> list[tuple[str, str]]:
        return [each.lane for each in self.running]


def hanging() -> Job:
    return Job(TIMEOUT_S, is_answered=False)


def start_after(others: Sequence[tuple[str, str, Job]], key: str, url: str) -> float:
    """Add attempts, and another one a second later; return how long that one waits."""

    async def main() -> float:
        lanes = Lanes()
        for name, receiver, job in others:
            lanes.add(name, receiver, job)
        await asyncio.sleep(1)
        job = Job()
        lanes.add(key, url, job)
        await asyncio.sleep(100 * TIMEOUT_S)
        await lanes.cancel()
        assert job.started_s is not None
        return job.started_s - 1

    return run_virtually(main())


def test_hanging_receivers_of_many_keys_do_not_delay_another_key() -> None:
    others = [(f"key{n % 32}", URL, hanging()) for n in range(32 * 40)]

    assert start_after(others, "another", URL) == 0


def test_a_key_with_many_hanging_receivers_does_not_delay_another_key() -> None:
    others = [("key", f"http://127.0.0.1:{n % 32}/hook", hanging()) for n in range(32 * 40)]

    assert start_after(others, "another", URL) == 0


def test_a_slow_path_does_not_delay_another_path_of_the_same_receiver() -> None:
    assert start_after([("key", URL, hanging()) for _ in range(400)], "key", OTHER_PATH) == 0


def test_a_hanging_receiver_does_not_delay_another_one_of_the_same_key() -> None:
    others = [("key", f"{URL}/{n}", hanging()) for n in range(400)]

    assert start_after(others, "key", "http://127.0.0.2:9000/hook") == 0


def test_a_key_with_a_long_queue_does_not_delay_another_key() -> None:
    others = [("key", f"{URL}/{n % 100}", Job(1.0)) for n in range(5000)]

    assert start_after(others, "another", URL) == 0


def test_a_lane_without_responses_has_one_place_until_a_response() -> None:
    async def main() -> list[int]:
        lanes, counts = Lanes(), []
        log = Log()
        for n in range(100):
            job = hanging() if n < 35 else Job(TIMEOUT_S)
            job._log = log
            lanes.add("key", URL, job)
        for _ in range(6):
            await asyncio.sleep(TIMEOUT_S)
            counts.append(len(log.running))
            await asyncio.sleep(0.001)
        await lanes.cancel()
        return counts

    # 32 hang, then three more hang one after another, then one gets a response.
    assert run_virtually(main())[1:] == [1, 1, 1, 32, 32]


def test_a_lane_without_responses_is_remembered_while_it_is_empty() -> None:
    async def main() -> list[int]:
        lanes, log = Lanes(), Log()
        lanes.add("key", URL, hanging())
        await asyncio.sleep(TIMEOUT_S + 1)
        assert lanes.is_empty
        for _ in range(3):
            lanes.add("key", URL, Job(1, log=log))
        await asyncio.sleep(0.5)
        first = len(log.running)
        await asyncio.sleep(1)
        return [first, len(log.running)]

    assert run_virtually(main()) == [1, 2]


def test_attempts_of_different_instants_in_one_lane_do_not_overlap() -> None:
    async def main() -> list[float | None]:
        lanes = Lanes()
        jobs = [Job(1, instant_ms=instant_ms) for instant_ms in (5, 5, 7, 7, 9)]
        for job in jobs:
            lanes.add("key", URL, job)
        await asyncio.sleep(10)
        return [job.started_s for job in jobs]

    assert run_virtually(main()) == [0, 0, 1, 1, 2]


def test_only_a_few_attempts_start_in_one_turn_of_the_event_loop() -> None:
    async def main() -> int:
        lanes, log = Lanes(), Log()
        for n in range(500):
            lanes.add(f"key{n}", URL, Job(1, log=log))
        most = before = 0
        while len(log.started) < 500:
            await asyncio.sleep(0)
            most, before = max(most, len(log.started) - before), len(log.started)
        return most

    assert run_virtually(main()) <= 8


def test_attempts_of_a_dropped_key_are_cancelled_and_those_of_others_go_on() -> None:
    async def main() -> tuple[int, bool]:
        lanes, log = Lanes(), Log()
        for n in range(100):
            lanes.add("dropped", f"{URL}/{n % 2}", Job(TIMEOUT_S, log=log))
        other = Job(5)
        lanes.add("other", URL, other)
        await asyncio.sleep(1)
        lanes.drop("dropped")
        again = Job(1)
        lanes.add("dropped", URL, again)
        await asyncio.sleep(1)
        assert log.running == []
        await asyncio.sleep(10)
        return len(log.started), again.started_s == 1 and lanes.is_empty

    assert run_virtually(main()) == (64, True)


def test_closing_starts_nothing_more_and_waits_for_attempts_in_progress() -> None:
    async def main() -> tuple[float, int]:
        lanes, log = Lanes(), Log()
        for n in range(100):
            lanes.add("key", URL, Job(1 + n % 2, log=log))
        await asyncio.sleep(0.5)
        lanes.close()
        lanes.add("key", URL, Job(log=log))
        await lanes.wait(60)
        assert lanes.is_empty
        return asyncio.get_running_loop().time(), len(log.started)

    assert run_virtually(main()) == (2, 32)


class Planned(msgspec.Struct, frozen=True):
    """An attempt: when it is added, and what it does."""

    at_s: int
    key: str
    url: str
    duration_s: int
    is_answered: bool | None
    instant_ms: int | None


plans = st.lists(
    st.builds(
        Planned,
        st.integers(0, 5),
        st.sampled_from("abc"),
        st.sampled_from(["http://a/1", "http://a/2", "http://a/3", "http://b/1"]),
        st.integers(0, 3),
        st.sampled_from([True, True, False, None]),
        st.sampled_from([None, None, None, 1, 2]),
    ),
    max_size=60,
)


@given(plans, st.integers(1, 3), st.integers(1, 4), st.integers(1, 8))
def test_every_attempt_is_made_once_in_the_order_of_its_lane_and_within_the_limits(
    planned: list[Planned], per_lane: int, per_origin: int, in_all: int
) -> None:
    async def main() -> None:
        lanes = Lanes(LaneLimits(per_lane=per_lane, per_origin=per_origin, in_all=in_all))
        log, added = Log(), []
        for plan in sorted(planned, key=lambda plan: plan.at_s):
            await asyncio.sleep(plan.at_s - asyncio.get_running_loop().time())
            job = Job(
                plan.duration_s,
                is_answered=plan.is_answered,
                instant_ms=plan.instant_ms,
                log=log,
                lane=(plan.key, plan.url),
            )
            added.append(job)
            lanes.add(plan.key, plan.url, job)
        await asyncio.sleep(1000)

        assert lanes.is_empty
        assert sorted(map(id, log.started)) == sorted(map(id, added))
        for lane in {job.lane for job in added}:
            started = [job for job in log.started if job.lane == lane]
            assert started == [job for job in added if job.lane == lane]
        assert log.most <= in_all
        assert log.most_in_lane <= per_lane
        assert log.most_at_origin <= per_origin

    run_virtually(main())


@pytest.mark.parametrize("others", [1, 2, 9])
def test_a_key_leaves_places_for_others(others: int) -> None:
    """A key has as many attempts in progress as there are free places, at most."""

    async def main() -> list[int]:
        lanes = Lanes(LaneLimits(in_all=100))
        logs = [Log() for _ in range(others)]
        for n, log in enumerate(logs):
            for receiver in range(10):
                for _ in range(32):
                    job = Job(TIMEOUT_S, log=log)
                    lanes.add(f"key{n}", f"http://127.0.0.1:{receiver}/", job)
        await asyncio.sleep(1)
        counts = [len(log.running) for log in logs]
        await lanes.cancel()
        return counts

    counts = run_virtually(main())
    free = 100 - sum(counts)
    assert all(abs(count - free) <= 1 for count in counts)
