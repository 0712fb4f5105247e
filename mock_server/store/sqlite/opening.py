"""Open a `SqliteStore` with settings that may differ from those with which its file was written."""

import sqlite3
from collections.abc import Callable

import msgspec

from mock_server.domain.command_codec import FORMAT
from mock_server.domain.errors import DamagedLog, InvalidValue, NewerFormat, StoreUnavailable
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.store.catalogue_record import CatalogueRecord
from mock_server.store.journal_bound import MAX_JOURNAL_BYTES
from mock_server.store.memory_store import MAX_SANDBOXES
from mock_server.store.sqlite.connection import damaged, newer_format, why_unusable
from mock_server.store.sqlite.file import Header, SqliteFile, Sync
from mock_server.store.sqlite.sandbox_log import SandboxLog
from mock_server.store.sqlite.store import SqliteStore


def open_sqlite_store(
    path: str,
    make_template: Callable[[int], SandboxTemplate],
    *,
    seed: int,
    is_seed_chosen: bool,
    sync: Sync = "normal",
    max_tasks: int = 2_000_000,
    max_sandboxes: int = MAX_SANDBOXES,
    max_journal_bytes: int = MAX_JOURNAL_BYTES,
) -> SqliteStore:
    """Return the store in a file, which is created if it does not exist.

    `seed` is that of a new file. An existing file keeps its own, and a chosen seed must be the
    same. Raises InvalidValue.
    """
    file = SqliteFile(path, sync)
    try:
        template = make_template(_seed(file, seed, is_seed_chosen=is_seed_chosen))
        _adopt_catalogue(file, template)
        return SqliteStore(
            file,
            template,
            max_tasks=max_tasks,
            max_sandboxes=max_sandboxes,
            max_journal_bytes=max_journal_bytes,
        )
    except sqlite3.Error as error:
        file.close()
        raise InvalidValue("--store", f"{path} {why_unusable(error)}") from error
    except DamagedLog as error:
        file.close()
        raise InvalidValue("--store", f"{path} {damaged(error)}") from error
    except (StoreUnavailable, NewerFormat) as error:
        file.close()
        raise InvalidValue("--store", f"{path}: {error}") from error
    except BaseException:
        file.close()
        raise


def _seed(file: SqliteFile, seed: int, *, is_seed_chosen: bool) -> int:
    """Return the seed of the file, or the given one if the file is new."""
    header = file.header()
    if header is None:
        return seed
    if header.format > FORMAT:
        raise InvalidValue("--store", newer_format(file.path, header.format, FORMAT))
    if is_seed_chosen and seed != header.seed:
        raise InvalidValue(
            "--seed",
            f"{file.path} has the seed {header.seed} (got {seed});"
            " remove --seed, or name another file with --store",
        )
    return header.seed


def _adopt_catalogue(file: SqliteFile, template: SandboxTemplate) -> None:
    """Let the file have the catalogue of this start.

    The logs of a server that was killed need the catalogue that it had, so they are replaced by
    checkpoints, which need none.
    """
    own = CatalogueRecord.of(template)
    current = Header(FORMAT, template.seed, msgspec.json.encode(own).decode())
    header = file.header()
    if header == current:
        return
    with file.transaction():
        if header is not None and file.has_log:
            _replace_logs(file, _with_catalogue_of(header, file.path, template))
        file.set_header(current)


def _with_catalogue_of(header: Header, path: str, template: SandboxTemplate) -> SandboxTemplate:
    try:
        found = msgspec.json.decode(header.catalogue, type=CatalogueRecord)
        return found.adopted_by(template)
    except msgspec.DecodeError as error:
        raise InvalidValue(
            "--store",
            f"{path} was written by another version of apixo-testkit, which was killed ({error});"
            " start and stop the server once with that version, or name another file",
        ) from error


def _replace_logs(file: SqliteFile, template: SandboxTemplate) -> None:
    """Replace the logs of all sandboxes by checkpoints, one after the other."""
    for stored in file.sandboxes():
        log = SandboxLog.load(file, stored, template)
        if not log.is_empty:
            for _ in log.compact(file):
                pass
