"""Commands and checkpoints that cannot be written, for example because the disk is full."""

import asyncio
import sqlite3

import pytest

from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.task import Task
from mock_server.store.sqlite import compactor, sandbox_log
from mock_server.store.sqlite import store as sqlite_store
from mock_server.store.sqlite.file import SqliteFile
from tests.mock_server.store.bench import HELD, Bench, Key
from tests.mock_server.store.sqlite.process import SUBMIT, Process
from tests.mock_server.store.sqlite.restarting_store import contents, persisted
from tests.patience import PATIENCE_S


@pytest.fixture
def bench(process: Process) -> Bench:
    return process.open()


@pytest.fixture
def key(bench: Bench) -> Key:
    return bench.key()


@pytest.fixture
def held(key: Key) -> Task:
    """Return a task that is in the file."""
    return key.task(HELD)


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next attempt follow at once."""
    monkeypatch.setattr(sqlite_store, "_RETRY_S", 0)


def fill(process: Process, key: Key) -> str:
    """Submit until a transaction fails; return the reason that the client gets."""
    process.limit_file(1)

    async def submit() -> None:
        for _ in range(50):
            await process.store.execute(key.id, SUBMIT)
        await persisted(process.store)

    with pytest.raises(StoreUnavailable) as failed:
        process.run(submit())
    return str(failed.value)


def test_command_that_cannot_be_written_is_reported_and_the_next_ones_are_rejected(
    process: Process, bench: Bench, key: Key, held: Task
) -> None:
    reason = fill(process, key)

    assert "state.db: database or disk is full" in reason
    assert bench.store.problem == reason
    for change in (
        key.balance,
        key.counters,
        lambda: bench.key("another"),
        lambda: bench.run(bench.store.remove(key.id)),
        lambda: bench.run(bench.store.drop_all()),
        lambda: bench.run(persisted(bench.store)),
    ):
        with pytest.raises(StoreUnavailable, match="disk is full"):
            change()
    assert key.stored(held.id) == held


@pytest.mark.usefixtures("passed")
def test_store_writes_what_it_could_not_write_as_soon_as_there_is_space(
    process: Process, key: Key, held: Task
) -> None:
    fill(process, key)
    process.limit_file(1_000_000)
    process.turns(10)
    assert process.store.problem is None
    last = key.task(HELD)
    before = contents(process.store)
    states = process.open().key().states()

    assert contents(process.store) == before
    assert len(states) == 52
    assert {held.id, last.id} <= states.keys()


def test_server_can_start_with_a_full_disk(
    process: Process, bench: Bench, held: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if a sandbox that was removed before has left something."""
    bench.key("removed").task(HELD)
    process.store._file._execute("DELETE FROM sandbox WHERE number > 1")
    process.kill()

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(SqliteFile, "_execute_all", fail)
    monkeypatch.setattr(SqliteFile, "set_header", fail)

    assert process.open().key().states().keys() == {held.id}


def test_process_that_ends_before_that_has_only_what_was_answered(
    process: Process, key: Key, held: Task
) -> None:
    fill(process, key)

    assert process.open().key().states().keys() == {held.id}


def test_stop_says_that_changes_are_lost(
    process: Process, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    fill(process, key)
    store = process.store
    process.stop()

    assert store._flush_handle is not None
    assert store._flush_handle.cancelled()
    assert "the last changes are lost" in caplog.messages[-1]
    assert "disk is full" in caplog.messages[-1]


def test_checkpoint_that_cannot_be_written_leaves_the_log(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_log, "_SHORT_LOG_BYTES", 5000)
    key = process.open().key()
    failed = 0

    def fail(*_: object) -> None:
        nonlocal failed
        failed += 1
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(SqliteFile, "add_slice", fail)
    while not failed:
        key.task(HELD)
    for _ in range(20):  # It is not tried again at once.
        key.task(HELD)
    before = contents(process.store)
    process.open()

    assert failed == 1
    assert contents(process.store) == before


def test_checkpoint_that_failed_is_written_by_the_next_attempt(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_log, "_SHORT_LOG_BYTES", 1000)
    monkeypatch.setattr(compactor, "_PAUSE_S", 0)
    key = process.open().key()
    complete, failed = SqliteFile.complete_checkpoint, 0

    def fail_once(file: SqliteFile, number: int, entry: int) -> None:
        nonlocal failed
        failed += 1
        if failed == 1:
            raise sqlite3.OperationalError("disk I/O error")
        complete(file, number, entry)

    monkeypatch.setattr(SqliteFile, "complete_checkpoint", fail_once)
    while not process.rows("checkpoint") > 1:
        key.task(HELD)
    process.turns(30)
    before = contents(process.store)
    assert failed == 1
    process.stop()
    process.open()

    assert process.rows("log") == 0
    assert contents(process.store) == before


def test_all_who_wait_are_told_although_one_fails(
    process: Process, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the connection is broken")

    async def wait_together() -> None:
        await process.store.execute(key.id, SUBMIT)
        process.store.after_persist(fail)
        async with asyncio.timeout(PATIENCE_S):
            await persisted(process.store)

    process.run(wait_together())

    assert "the connection is broken" in caplog.text


def test_command_that_cannot_be_encoded_is_reported(
    key: Key, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> bytes:
        raise TypeError("unknown type")

    monkeypatch.setattr(sandbox_log, "encode_commands", fail)
    key.balance()
    with pytest.raises(StoreUnavailable, match="unknown type"):
        key.balance()

    assert "unknown type" in caplog.text
