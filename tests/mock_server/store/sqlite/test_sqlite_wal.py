"""The write-ahead log of the file is moved to the database by a thread, and stays short."""

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from shutil import copyfile

import pytest

from mock_server.store.sqlite import wal
from mock_server.store.sqlite.file import SqliteFile
from tests.mock_server.store.sqlite.test_sqlite_file import opened

PAGE_BYTES = 4096


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


@pytest.fixture
def file(path: str) -> Iterator[SqliteFile]:
    file = opened(path)
    with file.transaction():
        file.add_sandbox(1, "a sandbox")
    yield file
    file.close()


def append(file: SqliteFile, entry: int) -> None:
    with file.transaction():
        file.append(1, entry, b"x" * PAGE_BYTES)


def until_moved(file: SqliteFile) -> None:
    """Wait for the thread. If it has been slow, a later commit has noted the end of its work."""
    move = file._mover._move
    if move is not None:
        move.result()


def entries_without_wal(path: str) -> int:
    """Return the number of log entries in the database file alone."""
    copy = copyfile(path, f"{path}.copy")
    with sqlite3.connect(copy) as reader:
        [number] = reader.execute("SELECT count(*) FROM log").fetchone()
    reader.close()
    return int(number)


def test_long_wal_is_moved_while_the_file_is_open(path: str, file: SqliteFile) -> None:
    for entry in range(wal._PAGES_AT_ONCE):
        append(file, entry)
    until_moved(file)

    # A slow thread has moved only what was there when it began: each entry counts as four pages.
    assert entries_without_wal(path) >= wal._PAGES_AT_ONCE // 5


def test_short_wal_is_not_moved(path: str, file: SqliteFile) -> None:
    """Each move waits for the disk."""
    for entry in range(100):
        append(file, entry)

    assert file._mover._move is None


def test_wal_stays_short_although_something_is_always_written(
    path: str, file: SqliteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "_PAGES_AT_ONCE", 20)
    monkeypatch.setattr(wal, "_MAX_PAGES", 100)
    for entry in range(1000):
        append(file, entry)

    assert Path(f"{path}-wal").stat().st_size < 500 * PAGE_BYTES


@pytest.mark.parametrize(
    ("owner", "function", "error"),
    [
        (wal, "_move", sqlite3.OperationalError("disk I/O error")),
        (os, "fsync", OSError(5, "disk I/O error")),
    ],
)
def test_wal_that_cannot_be_moved_is_moved_later(
    owner: object,
    function: str,
    error: Exception,
    path: str,
    file: SqliteFile,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was written is in the WAL, so nobody waits for it."""
    monkeypatch.setattr(wal, "_PAGES_AT_ONCE", 20)

    def fail(_: object) -> int:
        raise error

    entries = count()
    with monkeypatch.context() as patch:
        patch.setattr(owner, function, fail)
        while not caplog.messages:
            append(file, entry := next(entries))
            assert entry < 10_000
        for _ in range(50):  # It is not tried again at once.
            append(file, next(entries))
    [warning] = caplog.messages
    monkeypatch.setattr(wal, "_PAUSE_S", 0)
    file._mover._pause_until_s = 0
    append(file, next(entries))
    until_moved(file)

    assert warning == f"{path}-wal grows, because {path} cannot be written: disk I/O error"
    assert entries_without_wal(path) == next(entries)


def test_wal_is_moved_without_a_thread_if_there_can_be_none(
    path: str, file: SqliteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "_PAGES_AT_ONCE", 20)

    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", fail)
    for entry in range(20):
        append(file, entry)

    assert entries_without_wal(path) >= 6
