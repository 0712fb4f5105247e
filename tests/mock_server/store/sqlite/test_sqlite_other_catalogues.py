"""A start with other models and prices than those with which the file was written."""

import sqlite3
from typing import Any

import msgspec
import pytest

from mock_server.domain.catalogue import Model
from mock_server.domain.errors import InvalidValue
from mock_server.store.sqlite.file import SqliteFile
from tests.mock_server.store.bench import HELD, MODEL
from tests.mock_server.store.sqlite.process import Process
from tests.mock_server.store.sqlite.restarting_store import contents


def changed(**changes: Any) -> dict[str, Model]:
    return {MODEL.id: msgspec.structs.replace(MODEL, **changes)}


SLOW = msgspec.structs.replace(MODEL.timing, generation_time_s=3000.0)


@pytest.mark.parametrize(
    "models", [changed(price_usd=0.01), changed(result_ttl_s=1.0), changed(timing=SLOW)]
)
def test_start_with_other_models_after_a_kill_finds_what_was_there(
    process: Process, models: dict[str, Model]
) -> None:
    """The log would give other balances and plans with these models."""
    bench = process.open()
    done = [bench.key(name).task(HELD) for name in "aab"]
    bench.key("a").task()
    process.stop()
    for name in "bc":  # Behind a checkpoint, and in a new sandbox.
        process.open().key(name).task()
    before = contents(process.store)
    again = process.open(models=models)

    assert contents(process.store) == before
    assert process.rows("log") == 0
    assert again.key("a").stored(done[0].id) == done[0]


def test_other_price_applies_to_the_tasks_after_the_start(process: Process) -> None:
    cheap = changed(price_usd=0.01)
    before = process.open().key().task(HELD)
    process.open(models=cheap).key().task(HELD)
    key = process.open(models=cheap).key()  # This log needs the new price.

    assert key.task(HELD).order.price_microusd == 10_000
    assert [task.order.price_microusd for task in key.sandbox.tasks(0)[0]] == [10_000] * 2 + [
        before.order.price_microusd
    ]


def test_start_that_cannot_adopt_other_prices_changes_nothing(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may be full, or the process may be killed."""
    process.open().key().task(HELD)
    before = contents(process.store)
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(SqliteFile, "set_header", fail)
        with pytest.raises(InvalidValue, match=r"^--store: .*state.db: .* disk is full"):
            process.open(models=changed(price_usd=0.01))
    process.open()

    assert contents(process.store) == before


def test_log_that_needs_the_models_of_another_version_is_rejected(process: Process) -> None:
    process.open().key().task(HELD)
    process.store._file._execute(
        """UPDATE server SET catalogue = '{"models": {"m": {"id": "m"}}, "fail_messages": {}}'"""
    )

    with pytest.raises(InvalidValue, match=r"^--store: .*state.db was written by another version"):
        process.open()
