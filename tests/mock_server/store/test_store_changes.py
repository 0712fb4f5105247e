"""Commands that were prepared before the settings or rules of their sandbox changed."""

import pytest

from mock_server.domain.commands import (
    AnswerStatus,
    CountRequest,
    ReadStatus,
    SetClock,
    SetRules,
)
from mock_server.domain.errors import SandboxChanged
from mock_server.domain.events import Notice, Recorded
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.task import TaskState
from tests.mock_server.store.bench import HELD, MODEL, Key, NewBench


def read_status(key: Key, known_changes: int | None) -> None:
    key.execute(ReadStatus, model_id=MODEL.id, task_id="", known_changes=known_changes)


def test_command_from_before_a_change_is_rejected_and_has_no_effect(
    new_bench: NewBench,
) -> None:
    key = new_bench().key()
    known, before = key.sandbox.changes, key.counters()
    key.change(strict=True)

    with pytest.raises(SandboxChanged):
        read_status(key, known)
    with pytest.raises(SandboxChanged):
        key.execute(CountRequest, known_changes=known)
    with pytest.raises(SandboxChanged):
        key.submit(HELD, known_changes=known)

    assert key.counters() == before
    read_status(key, key.sandbox.changes)
    read_status(key, None)
    assert key.counters().requests == before.requests + 2


def test_every_change_of_settings_or_rules_is_counted(new_bench: NewBench) -> None:
    key = new_bench().key()
    counts = [key.sandbox.changes]
    key.change(rate_limit=5)
    counts.append(key.sandbox.changes)
    key.execute(SetRules, definitions=())
    counts.append(key.sandbox.changes)
    key.reset()
    counts.append(key.sandbox.changes)

    assert counts == sorted(set(counts))


def test_what_changes_neither_settings_nor_rules_is_not_counted(
    new_bench: NewBench,
) -> None:
    key = new_bench().key()
    known = key.sandbox.changes

    key.execute(SetClock, mode="manual", speed=1.0)
    key.finish(key.task(HELD).id)

    read_status(key, known)


def answer_status(key: Key, task_id: str, at_ms: int) -> int:
    """Answer a status request with a response that was foreseen at this instant."""
    entry = Entry(at_ms, at_ms, Operation.STATUS, task_id, 200, 5, b"", b"{}")
    return key.execute(
        AnswerStatus,
        model_id=MODEL.id,
        state=TaskState.PENDING,
        entry=entry,
        known_changes=key.sandbox.changes,
    )


def test_answered_status_is_counted_and_recorded_when_it_is_counted(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    task, heard = key.task(HELD), list[Notice]()
    bench.store.follow(key.id, heard.append)
    before_ms = bench.real_ms
    bench.pass_time(10)

    number = answer_status(key, task.id, before_ms)
    seen = [key.sandbox.entries(number - 1) for _ in range(3)]  # By each process.
    bench.store.unfollow(key.id, heard.append)

    entry = seen[0][0][1]
    assert seen == [[(number, entry)]] * 3
    assert entry.at_ms == bench.real_ms
    assert heard == [Recorded(number, entry)]
    assert key.counters().requests == 2
    assert key.counters().responses == {200: 1}


def test_status_that_was_foreseen_wrongly_has_no_effect(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(HELD)
    key.finish(task.id)
    before = key.counters()

    with pytest.raises(SandboxChanged):
        answer_status(key, task.id, bench.real_ms)

    assert key.counters() == before
    assert not key.sandbox.entries()
