"""Whatever the plan, what a client is told of a task keeps STA-3 … STA-10 at every instant."""

import json
from itertools import accumulate
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.task import Task, state_at
from mock_server.web import envelope
from tests.mock_server.domain.strategies import fail_codes, planned_tasks

ORDER = ["pending", "processing", "success", "failed"]
ALWAYS = {"taskId", "state", "createTime"}
ENDED = {"completeTime", "costTime"}
MEMBERS = {
    "pending": ALWAYS,
    "processing": ALWAYS,
    "success": ALWAYS | ENDED | {"resultJson"},
    "failed": ALWAYS | ENDED | {"failCode", "failMsg"},
}


class Sandbox(msgspec.Struct, frozen=True):
    """The part of a sandbox that URLs depend on."""

    seed: int


class Life(msgspec.Struct):
    """What a client saw of a task that was submitted as `born` and became `task`."""

    born: Task
    task: Task
    answers: list[bytes]

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(answer)["data"] for answer in self.answers]

    @property
    def ends(self) -> list[dict[str, Any]]:
        return [data for data in self.told if data["state"] in {"success", "failed"}]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Draw a task and look at it at increasing instants; something may end it on the way.

    The instants lie anywhere, and closely around the turns of the plan.
    """
    task = draw(planned_tasks())
    born = task
    turns = [task.created_ms, task.start_ms, task.end_ms or task.start_ms + 1000]
    near = st.builds(int.__add__, st.sampled_from(turns), st.integers(-1, 1))
    steps = draw(st.lists(st.integers(0, 20_000), max_size=5))
    anywhere = accumulate(steps, initial=task.created_ms)
    instants = sorted({*draw(st.lists(near, max_size=6)), *anywhere})
    ended_at = draw(st.none() | st.integers(0, len(instants)))
    answers = []
    for index, now_ms in enumerate(instant for instant in instants if instant >= task.created_ms):
        task = task.polled()
        if index == ended_at and not state_at(task, now_ms).is_final:
            task = task.ended(now_ms)
            if draw(st.booleans()):  # as control does
                ending = msgspec.structs.replace(
                    task.ending, fail_code=draw(st.none() | fail_codes), fail_message="as told"
                )
                task = msgspec.structs.replace(task, ending=ending)
        answers.append(envelope.status(task, now_ms, Sandbox(7)))
    return Life(born, task, answers)


@given(lives())
def test_states_only_move_forward(life: Life) -> None:
    seen = [data["state"] for data in life.told]

    assert set(seen) <= set(ORDER)
    assert seen == sorted(seen, key=ORDER.index)
    assert not {"success", "failed"} <= set(seen)


@given(lives())
def test_a_member_is_present_exactly_when_it_may_be(life: Life) -> None:
    for answer, data in zip(life.answers, life.told, strict=True):
        envelope_of_it = json.loads(answer)

        assert (envelope_of_it["code"], envelope_of_it["message"]) == (200, "success")
        assert data.keys() == MEMBERS[data["state"]]
        assert (data["taskId"], data["createTime"]) == (life.born.id, life.born.created_ms)


@given(lives())
def test_the_cost_lies_between_nothing_and_the_whole_time(life: Life) -> None:
    for data in life.ends:
        assert 0 <= data["costTime"] <= data["completeTime"] - data["createTime"]


@given(lives())
def test_the_final_answer_is_frozen_byte_for_byte(life: Life) -> None:
    finals = {answer for answer in life.answers if b"completeTime" in answer}

    assert len(finals) <= 1


@given(lives())
def test_a_success_holds_as_many_different_addresses_as_were_asked_for(life: Life) -> None:
    for data in life.ends:
        if data["state"] == "success":
            assert isinstance(data["resultJson"], str)
            urls = json.loads(data["resultJson"]).pop("resultUrls")
            assert len(set(urls)) == len(urls) == life.born.order.num_images
            assert all(url.startswith(f"{life.born.order.base_url}/results/") for url in urls)


@given(lives())
def test_a_failure_says_why(life: Life) -> None:
    for data in life.ends:
        if data["state"] == "failed":
            assert data["failCode"] == life.task.ending.fail_code
            assert data["failMsg"]


@given(planned_tasks())
def test_only_time_polls_or_control_end_a_task(task: Task) -> None:
    end_ms = task.end_ms
    century_ms = 100 * 366 * 86_400_000

    if end_ms is None:
        assert not state_at(task, task.created_ms + century_ms).is_final
    else:
        assert not state_at(task, end_ms - 1).is_final
        assert state_at(task, end_ms).is_final
