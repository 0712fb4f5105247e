"""The file of the sqlite store: which files it accepts, and what it keeps in them."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mock_server.domain.errors import InvalidValue, StoreUnavailable
from mock_server.store.sqlite.file import Header, SqliteFile, StoredSandbox, Sync

HEADER = Header(format=1, seed=2**63 - 1, catalogue="{}")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


def opened(path: str) -> SqliteFile:
    return SqliteFile(path, "normal")


def refusal(path: str) -> str:
    with pytest.raises(InvalidValue) as rejected:
        opened(path)
    text = str(rejected.value)
    assert text.startswith("--store: ")
    assert "\n" not in text
    return text


def test_header_is_kept(path: str) -> None:
    file = opened(path)
    assert file.header() is None
    with file.transaction():
        file.set_header(HEADER)
    file.close()

    assert opened(path).header() == HEADER


@pytest.mark.parametrize(("sync", "level"), [("normal", 1), ("full", 2)])
def test_full_sync_waits_for_the_disk(path: str, sync: Sync, level: int) -> None:
    file = SqliteFile(path, sync)

    assert file._pragma("synchronous") == level
    # The default of SQLite may be another one. With 0, a moved WAL may not be on the disk yet.
    assert file._mover._mover.execute("PRAGMA synchronous").fetchone() == (level,)
    assert file._execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_file_is_readable_by_its_owner_only(path: str) -> None:
    opened(path)

    assert Path(path).stat().st_mode & 0o077 == 0


def test_closing_leaves_a_single_file(path: str) -> None:
    file = opened(path)
    with file.transaction():
        file.set_header(HEADER)
    file.close()

    assert [each.name for each in Path(path).parent.iterdir()] == ["state.db"]


def test_file_in_use_is_rejected(path: str) -> None:
    file = opened(path)

    assert "is used by another process" in refusal(path)
    with file.transaction():
        file.set_header(HEADER)


def test_file_stays_in_use_when_the_one_before_is_closed_twice(path: str) -> None:
    before = opened(path)
    before.close()
    file = opened(path)
    before.close()

    assert "is used by another process" in refusal(path)
    file.close()


@pytest.mark.parametrize("name", ["a b?c#d%41.db", ":memory:", "ü\udcff.db", "file:x.db"])
def test_any_name_of_a_file_is_possible(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    file = opened(str(place))
    with file.transaction():
        file.set_header(HEADER)
    file.close()

    assert [*tmp_path.iterdir()] == [place]
    assert opened(str(place)).header() == HEADER


def test_file_in_use_by_another_process_is_rejected(path: str) -> None:
    hold = (
        "import sys; from mock_server.store.sqlite.file import SqliteFile;"
        " file = SqliteFile(sys.argv[1], 'normal'); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"

        assert "is used by another process" in refusal(path)
        process.kill()
    opened(path)


@pytest.mark.parametrize("content", [b"a text that is no database\n" * 100, b"x"])
def test_file_of_another_kind_is_rejected_and_stays_as_it_is(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)

    assert "is not a store of this server" in refusal(path)
    assert Path(path).read_bytes() == content


def test_database_of_another_program_is_rejected_and_stays_as_it_is(path: str) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (value)")
    other.close()
    content = Path(path).read_bytes()

    assert "is not a store of this server" in refusal(path)
    assert Path(path).read_bytes() == content


def test_file_of_a_newer_version_is_rejected_and_not_in_use_after_it(path: str) -> None:
    opened(path).close()
    set_version(path, 7)
    assert "was written by a newer version (format 7" in refusal(path)
    set_version(path, 1)

    opened(path).close()


def set_version(path: str, number: int) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {number}")
    database.close()


def test_damaged_file_is_rejected(path: str) -> None:
    file = opened(path)
    with file.transaction():
        for number in range(1, 100):
            file.add_sandbox(number, "a sandbox")
            file.append(number, 1, b"x" * 1000)
    file.close()
    content = bytearray(Path(path).read_bytes())
    content[1024 : len(content) // 2] = b"?" * (len(content) // 2 - 1024)
    Path(path).write_bytes(content)

    assert "is damaged" in refusal(path)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    text = refusal(str(tmp_path / "missing" / "state.db"))

    assert text.endswith("missing does not exist; create it, or name another file")


@pytest.mark.parametrize("name", ["state.db", "."])
def test_place_without_permission_to_write_is_named(
    path: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, whom the system allows everything."""
    opened(path).close()
    place = Path(path).parent / name
    monkeypatch.setattr(os, "access", lambda asked, _: asked != place)

    assert refusal(path).startswith(
        f"--store: cannot write {place}; change its permissions, so that user {os.getuid()} can"
    )


def test_folder_in_which_no_file_can_be_created_is_named(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", fail)

    assert refusal(path).startswith(
        f"--store: cannot write {Path(path).parent}; change its permissions, so that user"
    )


def test_read_only_disk_is_named(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(path).close()
    flags = SimpleNamespace(f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "statvfs", lambda _: flags)

    assert refusal(path).endswith(
        f"cannot write {path}: its disk is read-only; name a file on another disk"
    )


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("PRAGMA query_only = on", "make the file and its folder writable for this server"),
        ("PRAGMA max_page_count = 1", "free some space"),
    ],
)
def test_error_of_a_transaction_says_what_to_do(path: str, statement: str, advice: str) -> None:
    file = opened(path)
    file._execute(statement)

    with pytest.raises(StoreUnavailable) as failed, file.transaction():
        file.add_sandbox(1, "x" * 10_000)
    assert str(failed.value).startswith(f"cannot write {path}: ")
    assert str(failed.value).endswith(f"; {advice}")


def test_path_with_a_null_character_is_rejected(tmp_path: Path) -> None:
    assert refusal(f"{tmp_path}/a\0b").endswith(": embedded null byte; name another file")


def test_directory_is_rejected(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)).endswith(" is a directory; name a file in it")


def test_failed_transaction_changes_nothing(path: str) -> None:
    file = opened(path)

    def add_twice() -> None:
        with file.transaction():
            file.add_sandbox(1, "kept by nobody")
            file.add_sandbox(1, "a number that is taken")

    with pytest.raises(StoreUnavailable, match="UNIQUE"):
        add_twice()
    assert file.sandboxes() == []


@pytest.mark.parametrize("is_replaced", [False, True])
def test_file_that_is_not_at_its_path_is_not_written(path: str, *, is_replaced: bool) -> None:
    """The next start would not find what is written to it."""
    file, moved = opened(path), f"{path}.moved"
    Path(path).rename(moved)
    if is_replaced:
        Path(path).touch()

    with pytest.raises(StoreUnavailable, match="deleted or replaced"), file.transaction():
        file.set_header(HEADER)
    Path(moved).replace(path)
    with file.transaction():
        file.set_header(HEADER)
    file.close()

    assert opened(path).header() == HEADER


def test_new_checkpoint_replaces_the_log_up_to_it(path: str) -> None:
    file = opened(path)
    with file.transaction():
        file.add_sandbox(1, "one")
        file.add_slice(1, 0, 0, b"begin")
        for entry in range(1, 6):
            file.append(1, entry, b"%d" % entry)
        file.add_slice(1, 3, 0, b"up to ")
        file.add_slice(1, 3, 1, b"three")
    before = read(file)
    with file.transaction():
        file.complete_checkpoint(1, 3)

    assert before == (b"begin", [b"1", b"2", b"3", b"4", b"5"])
    assert read(file) == (b"up to three", [b"4", b"5"])


@pytest.mark.parametrize("is_reopened", [False, True])
def test_what_is_no_longer_needed_is_deleted(path: str, *, is_reopened: bool) -> None:
    """By the store a few rows at a time, or when the file is opened after a crash."""
    file = opened(path)
    with file.transaction():
        for number in (1, 2):
            file.add_sandbox(number, "a sandbox")
            file.add_slice(number, 0, 0, b"begin")
            for entry in range(1, 6):
                file.append(number, entry, b"x")
        file.add_slice(1, 3, 0, b"complete")
        file.complete_checkpoint(1, 3)
        file.add_slice(1, 4, 0, b"never completed")
        file.remove_sandbox(2)
    if is_reopened:
        file.close()
        file = opened(path)
    else:
        with file.transaction():
            assert file.delete_remainders(1, batches=3, slices=3)
            assert not file.delete_remainders(1, batches=3, slices=3)
            while file.delete_remainders(2, batches=3, slices=1):
                pass
    file.close()

    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT sandbox, entry FROM log").fetchall() == [(1, 4), (1, 5)]
        assert reader.execute("SELECT sandbox, entry FROM checkpoint").fetchall() == [(1, 3)]
    reader.close()


def read(file: SqliteFile) -> tuple[bytes, list[bytes]]:
    [stored] = file.sandboxes()
    assert stored == StoredSandbox(1, "one", stored.entry)
    return file.checkpoint(stored), [batch for _, batch in file.log(stored)]
