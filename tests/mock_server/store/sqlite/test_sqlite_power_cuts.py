"""A power cut leaves a part of what was written last; the server finds everything before it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import SetClock
from mock_server.domain.planner import DEFAULT_REQUEST
from mock_server.store.sqlite import sandbox_log, wal
from mock_server.store.sqlite.store import SqliteStore
from tests.mock_server.store.bench import HELD, Bench
from tests.mock_server.store.sqlite.process import Process
from tests.mock_server.store.sqlite.restarting_store import contents
from tests.mock_server.store.sqlite.stores import memory_folder

_PAGE_BYTES = 4096
_FRAME_BYTES = _PAGE_BYTES + 24  # What SQLite writes for a page.
_HEAD_BYTES = 32


class Moment(NamedTuple):
    """The contents after a transaction, and the size of the write-ahead log then."""

    wal_bytes: int
    contents: dict[str, bytes]


class History:
    """The files of a process that lost its power, and what it had written before."""

    def __init__(self, path: Path, moments: list[Moment], checkpoints: int) -> None:
        self.database = path.read_bytes()
        self.wal = wal_of(path).read_bytes()
        self.moments = moments
        self.checkpoints = checkpoints

    def at(self, wal_bytes: int) -> dict[str, bytes]:
        """Return the contents after the last transaction that a log of this size includes."""
        return [each for each in self.moments if each.wal_bytes <= wal_bytes][-1].contents


def wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def history(folder: Path) -> History:
    """Let several keys send requests, with checkpoints between them and a removed sandbox."""
    path = folder / "history.db"
    moments = [Moment(0, {})]
    flush = SqliteStore._flush

    def flush_and_note(store: SqliteStore) -> bool:
        is_written = flush(store)
        moments.append(Moment(wal_of(path).stat().st_size, contents(store)))
        return is_written

    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteStore, "_flush", flush_and_note)
        patch.setattr(sandbox_log, "_SHORT_LOG_BYTES", 100)
        # What was moved to the database was on the disk before, and no cut loses it.
        patch.setattr(wal, "_PAGES_AT_ONCE", 10**6)
        process = Process(str(path), runner)
        bench = process.open(seed=7)
        for step in range(45):
            act(bench, step)
            process.turns(step % 4)
        [checkpoints] = process.store._file._execute(
            "SELECT count(*) FROM sandbox WHERE entry > 0"
        ).fetchone()
        found = History(path, moments, checkpoints)
        process.kill()
    return found


def act(bench: Bench, step: int) -> None:
    key = bench.key("abc"[step % 3])
    if step == 33:
        bench.run(bench.store.remove(key.id))
    elif step % 7 == 0:
        key.execute(SetClock, mode="manual", speed=1.0)
    elif step % 5 == 0:
        key.callback_task(DEFAULT_REQUEST)
    else:
        task = key.task(HELD)
        for _ in range(5):  # The log grows, but not the checkpoint.
            key.status(task.id)


@contextmanager
def after_cut(
    history: History, folder: Path, runner: asyncio.Runner, log: bytes
) -> Iterator[Process]:
    """Yield a process that has found the database and this part of the write-ahead log."""
    path = folder / "cut.db"
    path.write_bytes(history.database)
    wal_of(path).write_bytes(log)
    process = Process(str(path), runner)
    try:
        process.open(seed=7)
        yield process
    finally:
        process.kill()


def test_history_has_what_a_cut_may_split(history: History) -> None:
    sizes = [each.wal_bytes for each in history.moments]
    assert history.checkpoints > 1
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(history.wal) > 100 * _PAGE_BYTES
    assert len({frozenset(each.contents.items()) for each in history.moments}) > 100


@given(
    cut=st.integers(0, 10**6),
    unit=st.sampled_from([1, _FRAME_BYTES, _PAGE_BYTES]),
    rest=st.sampled_from([b"", bytes(_PAGE_BYTES), b"\xa5" * 5000]),
)
def test_everything_before_a_cut_is_found(
    history: History, folder: Path, runner: asyncio.Runner, cut: int, unit: int, rest: bytes
) -> None:
    """A disk may have pages of zeros, or old content, where a write did not reach it."""
    head = _HEAD_BYTES if unit == _FRAME_BYTES else 0
    size = head + cut * unit % (len(history.wal) - head)

    with after_cut(history, folder, runner, history.wal[:size] + rest) as process:
        assert contents(process.store) == history.at(size)


@pytest.mark.parametrize("number", [1, 50, 100])
def test_cut_within_a_transaction_loses_this_transaction_only(
    history: History, folder: Path, runner: asyncio.Runner, number: int
) -> None:
    """And the server goes on from there."""
    size = sorted({each.wal_bytes for each in history.moments})[number] - 1

    with after_cut(history, folder, runner, history.wal[:size]) as process:
        assert contents(process.store) == history.at(size)
        task = Bench(process.store, runner).key("new").task(HELD)
        assert process.open(seed=7).key("new").states().keys() == {task.id}
