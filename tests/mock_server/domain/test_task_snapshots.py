"""Tasks in a snapshot have the form of version 1, whatever form they have in memory."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.task import Task
from mock_server.domain.task_snapshot import TaskSnapshot, restored_tasks
from tests.mock_server.domain.strategies import planned_tasks, task

TASK_ID = "task_0123456789abcdef0123456789abcdef"


def restored(*raw: bytes) -> list[Task]:
    return list(restored_tasks(msgspec.json.decode(each, type=TaskSnapshot) for each in raw))


def written(task: Task) -> bytes:
    return msgspec.json.encode(TaskSnapshot.of(task))


def test_task_in_a_snapshot_has_the_members_of_version_1() -> None:
    failed = task(
        id=TASK_ID,
        model_id="gpt-image-1",
        ordinal=7,
        prompt="a fox",
        ratio="1:1",
        num_images=2,
        price_microusd=70_000,
        base_url="http://mock",
        callback_url="http://client/hook",
        created_ms=1,
        start_ms=2,
        end_ms=3,
        fail_code="NSFW",
        fail_message="not safe",
        reasons=("a rule",),
        polls=3,
        polls_seen=4,
        is_settled=True,
        has_directives=True,
    )
    as_json = {
        "id": TASK_ID,
        "model_id": "gpt-image-1",
        "ordinal": 7,
        "prompt": "a fox",
        "ratio": "1:1",
        "num_images": 2,
        "price_microusd": 70_000,
        "base_url": "http://mock",
        "callback_url": "http://client/hook",
        "created_ms": 1,
        "plan": {
            "start_ms": 2,
            "end_ms": 3,
            "polls": 3,
            "fail_code": "NSFW",
            "fail_message": "not safe",
            "reasons": ["a rule"],
        },
        "polls_seen": 4,
        "is_settled": True,
        "has_directives": True,
    }

    assert msgspec.json.decode(written(failed)) == as_json
    assert restored(msgspec.json.encode(as_json)) == [failed]


@given(st.lists(planned_tasks(), max_size=3))
def test_restored_tasks_are_those_of_the_snapshot(tasks: list[Task]) -> None:
    assert restored(*map(written, tasks)) == tasks


def test_optional_members_of_a_task_may_be_absent() -> None:
    as_json = msgspec.json.decode(written(task(id=TASK_ID)))
    for name in ("polls_seen", "is_settled", "has_directives"):
        del as_json[name]
    as_json["plan"] = {"start_ms": as_json["plan"]["start_ms"], "end_ms": as_json["plan"]["end_ms"]}

    assert restored(msgspec.json.encode(as_json)) == [task(id=TASK_ID)]


def test_restored_tasks_that_are_alike_share_their_order_and_ending() -> None:
    one, other = restored(written(task(id=TASK_ID)), written(task(id=TASK_ID[:-1] + "0")))

    assert one.order is other.order
    assert one.ending is other.ending
