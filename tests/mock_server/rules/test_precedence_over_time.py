"""Rules, the queue of the next and the clock together, over HTTP, against a dumb model."""

from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock, running

LIFE_S = 10
PROMPT = "[[mock pending=0 processing=10s]]"
_numbers = count()

matches = st.fixed_dictionaries(
    {"operation": st.just("status")},
    optional={
        "state": st.sampled_from(["processing", "success"]),
        "prompt": st.sampled_from(["cat", "dog"]),
        "nth": st.sampled_from([1, 2, "2..3", "every 2"]),
        "times": st.integers(1, 2),
    },
)
refusals = st.builds(
    lambda match, status: {"match": match, "apply": {"refuse": {"status": status}}},
    matches,
    st.sampled_from([404, 429, 500, 503]),
)


def is_turn(nth: Any, seen: int) -> bool:
    turns = {None: True, 1: seen == 1, 2: seen == 2, "2..3": seen in {2, 3}}
    return turns.get(nth, seen % 2 == 0)


class OverTime(RuleBasedStateMachine):
    """The model: seconds gone by, when each task was made, rules with two counters."""

    mock: ClassVar[RunningMock]
    tasks: Bundle[tuple[str, str, int]] = Bundle("tasks")

    @initialize()
    def begin(self) -> None:
        self.api = Api(self.mock.http, f"over-time-{next(_numbers)}")
        self.now_s = 0
        self.own: list[list[Any]] = []
        self.queue: list[list[Any]] = []

    @rule(rules=st.lists(refusals, max_size=3))
    def put(self, rules: list[Json]) -> None:
        self.api.told("PUT", "rules", {"rules": rules})
        self.own = [[each, 0, 0] for each in rules]

    @rule(added=refusals)
    def add(self, added: Json) -> None:
        self.api.told("POST", "rules", added)
        self.own.append([added, 0, 0])

    @rule()
    def clear(self) -> None:
        self.api.told("DELETE", "rules")
        self.own = []

    @rule(state=st.sampled_from([None, "success"]), number=st.integers(1, 2))
    def put_next(self, state: str | None, number: int) -> None:
        match = {"operation": "status"} if state is None else {"state": state}
        apply = {"refuse": {"status": 418}}
        body = {"match": match, "apply": apply, "count": number}
        answer = self.api.control("POST", "next", body)
        assert answer.status_code == 200, answer.text
        self.queue.append([state, number])

    @rule(target=tasks, animal=st.sampled_from(["cat", "dog"]))
    def submit(self, animal: str) -> tuple[str, str, int]:
        return self.api.submit(f"{animal} {PROMPT}"), animal, self.now_s

    @rule(seconds=st.integers(1, LIFE_S))
    def advance(self, seconds: int) -> None:
        self.api.advance(seconds)
        self.now_s += seconds

    @rule(task=tasks)
    def ask(self, task: tuple[str, str, int]) -> None:
        task_id, animal, born_s = task
        state = "success" if self.now_s >= born_s + LIFE_S else "processing"

        answer = self.api.ask(task_id)

        assert answer.status_code == self.expected(state, animal)
        if answer.status_code == 200:
            assert answer.json()["data"]["state"] == state

    def expected(self, state: str, animal: str) -> int:
        for queued in self.queue:
            if queued[0] in {None, state}:
                queued[1] -= 1
                self.queue = [each for each in self.queue if each[1]]
                return 418
        for counted in self.own:
            match = counted[0]["match"]
            if match.get("state", state) != state or match.get("prompt", animal) != animal:
                continue
            counted[1] += 1
            if is_turn(match.get("nth"), counted[1]) and counted[2] < match.get("times", 99):
                counted[2] += 1
                return int(counted[0]["apply"]["refuse"]["status"])
        return 200

    def teardown(self) -> None:
        if hasattr(self, "api"):
            self.api.control("DELETE", "sandbox")


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=3)) as mock:
        yield mock


def test_whatever_comes_in_whatever_order_the_model_says_the_same(mock: RunningMock) -> None:
    OverTime.mock = mock
    run_state_machine_as_test(
        OverTime, settings=settings(max_examples=40, stateful_step_count=30, deadline=None)
    )
