"""Makes sqlite stores in files of their own, for a whole session of tests."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.store.sqlite.opening import open_sqlite_store
from tests.mock_server.store.sqlite.restarting_store import RestartingStore, kill

_MEMORY_DISK = Path("/dev/shm")  # SQLite waits for a real disk at every new file.
_MAX_OPEN = 20
_COMMANDS_OF_A_LIFE = 7


@contextmanager
def memory_folder() -> Iterator[Path]:
    """Yield an empty folder in memory, if the system has a disk there."""
    with _new_folder() as name:
        yield Path(name)


def _new_folder() -> "TemporaryDirectory[str]":
    return TemporaryDirectory(dir=_MEMORY_DISK if _MEMORY_DISK.is_dir() else None)


class SqliteStores:
    """Makes stores whose process ends every few commands. Only the newest ones stay open."""

    def __init__(self) -> None:
        self._folder = _new_folder()
        self._numbers = count()
        self._open: deque[RestartingStore] = deque()

    def __call__(self, template: SandboxTemplate, *, max_tasks: int, max_sandboxes: int) -> Store:
        open_store = partial(
            open_sqlite_store,
            f"{self._folder.name}/{next(self._numbers)}.db",
            lambda _: template,
            seed=template.seed,
            is_seed_chosen=True,
            max_tasks=max_tasks,
            max_sandboxes=max_sandboxes,
        )
        store = RestartingStore(open_store, every=_COMMANDS_OF_A_LIFE)
        self._open.append(store)
        self._close_all_but(_MAX_OPEN)
        return cast("Store", store)

    def close(self) -> None:
        self._close_all_but(0)
        self._folder.cleanup()

    def _close_all_but(self, kept: int) -> None:
        while len(self._open) > kept:
            kill(self._open.popleft().store)
