"""Commands that were prepared before the settings or rules of their sandbox changed."""

import pytest

from mock_server.domain.commands import CountRequest, ReadStatus, SetClock, SetRules
from mock_server.domain.errors import SandboxChanged
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
