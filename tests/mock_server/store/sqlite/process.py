"""Does with a file what the servers of one machine do with it, one after the other."""

import asyncio
from typing import Any

from mock_server.domain.catalogue import Model
from mock_server.domain.commands import Submit
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.submission import Submission
from mock_server.store.sqlite.opening import open_sqlite_store
from mock_server.store.sqlite.store import SqliteStore
from tests.mock_server.store.bench import CATALOGUE, HELD, MODEL, START_MS, Bench
from tests.mock_server.store.sqlite.restarting_store import kill

MANY = SandboxSettings(rate_limit=100_000, max_concurrent=100_000, balance_microusd=10**12)
SUBMIT = Submit(
    real_ms=START_MS,
    model_id=MODEL.id,
    submission=Submission(prompt="a fox" * 1000, ratio="1:1", num_images=1, callback_url=None),
    plan_request=HELD,
    base_url="http://mock",
)
RULE = {"match": {"prompt_regex": "f.x", "nth": "every 3"}, "apply": {"latency": "1ms"}}
RULES = (parse_rule(RULE, "rule", CATALOGUE.fail_messages),)
CONTENT = {"checkpoint": "data", "log": "batch"}


class Process:
    """What a server does with a file; `kill` and `open` make the next one."""

    def __init__(self, path: str, runner: asyncio.Runner) -> None:
        self._path = path
        self._runner = runner
        self._store: SqliteStore | None = None

    def open(
        self,
        *,
        seed: int = 7,
        is_seed_chosen: bool = False,
        models: dict[str, Model] | None = None,
        settings: SandboxSettings = MANY,
        max_tasks: int = 1_000_000,
    ) -> Bench:
        self.kill()

        def template(seed: int) -> SandboxTemplate:
            return SandboxTemplate(
                seed=seed,
                settings=settings,
                rules=RULES,
                clock=ClockSettings(),
                models=models or CATALOGUE.models,
                fail_messages=CATALOGUE.fail_messages,
            )

        self._store = open_sqlite_store(
            self._path, template, seed=seed, is_seed_chosen=is_seed_chosen, max_tasks=max_tasks
        )
        return Bench(self._store, self._runner)

    @property
    def store(self) -> SqliteStore:
        assert self._store is not None
        return self._store

    def run(self, operation: Any) -> Any:
        return self._runner.run(operation)

    def turns(self, number: int) -> None:
        """Let the event loop make this many turns."""
        for _ in range(number):
            self.run(asyncio.sleep(0))

    def kill(self) -> None:
        if self._store is not None:
            kill(self._store)
            self._store = None

    def stop(self) -> None:
        """End as after a signal."""
        self.run(self.store.aclose())
        self._store = None

    def limit_file(self, pages: int) -> None:
        """Let the disk be full as soon as the file has this many pages."""
        self.store._file._execute(f"PRAGMA max_page_count = {pages}")

    def bytes(self, table: str) -> int:
        column = CONTENT[table]
        [size] = self.store._file._execute(f"SELECT sum(length({column})) FROM {table}").fetchone()
        return size or 0

    def rows(self, table: str) -> int:
        [number] = self.store._file._execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(number)
