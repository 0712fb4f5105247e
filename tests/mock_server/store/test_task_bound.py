"""The bound on all tasks knows which one goes next, and what that costs."""

from mock_server.store.task_bound import EndedTask, TaskBound
from tests.mock_server.store.bench import NewBench, lasting


def test_dropping_one_task_does_not_look_at_all_others(new_bench: NewBench) -> None:
    key = new_bench().key()
    tasks = [key.task(lasting(0)) for _ in range(100)]
    looked_at = 0

    def is_held(ended: EndedTask) -> bool:
        nonlocal looked_at
        looked_at += 1
        return True

    bound = TaskBound(100, is_held)
    bound.count = 100
    bound.note_ended(key.id, 0, tasks)
    for task in tasks:
        looked_at = 0
        ended = bound.oldest_ended()
        assert ended is not None
        assert ended.task_id == task.id
        bound.remove_oldest_ended()
        assert looked_at == 1
    assert bound.oldest_ended() is None
