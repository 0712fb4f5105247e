"""What the sqlite store does besides keeping every promise of a store."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.catalogue import Model
from mock_server.domain.commands import Restore, Submit, TakeSnapshot
from mock_server.domain.errors import InvalidValue, StoreUnavailable
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.submission import Submission
from mock_server.store.sqlite import compactor, sandbox_log
from mock_server.store.sqlite import store as sqlite_store
from mock_server.store.sqlite.file import SqliteFile
from mock_server.store.sqlite.store import SqliteStore, open_sqlite_store
from tests.mock_server.store.bench import CATALOGUE, HELD, MODEL, START_MS, Bench, lasting
from tests.mock_server.store.sqlite.restarting_store import contents, kill, persisted
from tests.patience import PATIENCE_S

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
_CONTENT = {"checkpoint": "data", "log": "batch"}


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
        column = _CONTENT[table]
        [size] = self.store._file._execute(f"SELECT sum(length({column})) FROM {table}").fetchone()
        return size or 0

    def rows(self, table: str) -> int:
        [number] = self.store._file._execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(number)


@pytest.fixture
def process(tmp_path: Path, runner: asyncio.Runner) -> Iterator[Process]:
    process = Process(str(tmp_path / "state.db"), runner)
    yield process
    process.kill()


def test_seed_of_the_file_stays_in_effect(process: Process) -> None:
    process.open(seed=5)
    process.open(seed=9)
    not_chosen = process.store.seed
    process.open(seed=5, is_seed_chosen=True)

    assert (not_chosen, process.store.seed) == (5, 5)


def test_other_seed_is_rejected(process: Process) -> None:
    process.open(seed=5)

    with pytest.raises(InvalidValue, match=r"^--seed: .*state.db has the seed 5 \(got 6\); "):
        process.open(seed=6, is_seed_chosen=True)


def test_other_prices_are_rejected_for_a_log_and_accepted_after_a_stop(process: Process) -> None:
    """A log would give other balances; a stop replaces it by a checkpoint."""
    cheap = {MODEL.id: msgspec.structs.replace(MODEL, price_usd=0.01)}
    before = process.open().key().task(HELD)
    with pytest.raises(InvalidValue, match=r"^--store: .*state.db needs the models, .* prices "):
        process.open(models=cheap)
    process.open()
    process.stop()
    key = process.open(models=cheap).key()

    assert key.stored(before.id) == before
    assert key.task(HELD).order.price_microusd == 10_000


def test_start_with_other_settings_says_that_sandboxes_keep_theirs(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    process.open().key("a").task(HELD)
    process.open().key("b")
    equal = list(caplog.messages)
    again = process.open(settings=SandboxSettings(rate_limit=1))

    assert equal == []
    assert [message.partition(" in ")[0] for message in caplog.messages] == ["2 sandboxes"]
    assert again.key("a").sandbox.settings == MANY
    assert again.key("c").sandbox.settings.rate_limit == 1


def test_file_of_a_newer_format_is_rejected(process: Process) -> None:
    process.open()
    process.store._file._execute("UPDATE server SET format = 99")

    with pytest.raises(InvalidValue, match=r"^--store: .* was written by a newer version "):
        process.open()


@pytest.mark.parametrize("table", _CONTENT)
def test_damaged_sandbox_is_rejected(process: Process, table: str) -> None:
    process.open().key().task()
    process.store._file._execute(f"UPDATE {table} SET {_CONTENT[table]} = x'0102'")

    with pytest.raises(InvalidValue, match=r"^--store: .*state.db is damaged \(.*\); restore"):
        process.open()


def test_damaged_page_of_a_sandbox_is_named(process: Process) -> None:
    sandbox_id = process.open().key().id
    for _ in range(20):
        process.run(process.store.execute(sandbox_id, SUBMIT))
    process.stop()
    file = Path(process._path)
    file.write_bytes(file.read_bytes()[:-40_000] + b"\xff" * 40_000)

    with pytest.raises(InvalidValue, match=r"^--store: .*state.db is damaged \(.*\); restore"):
        process.open()


def test_stop_leaves_checkpoints_only(process: Process) -> None:
    key = process.open().key()
    task = key.task(HELD)
    process.stop()
    again = process.open()

    assert process.rows("log") == 0
    assert again.key().states().keys() == {task.id}


def test_removed_sandbox_leaves_nothing(process: Process) -> None:
    bench = process.open()
    for name in "abc":
        bench.key(name).task(HELD)
    bench.run(bench.store.remove(bench.key("a").id))
    bench.run(bench.store.drop_all())
    bench.key("d")
    process.turns(1)
    process.stop()
    again = process.open()

    assert again.sandbox_ids() == {again.key("d").id}
    assert process.rows("checkpoint") == 1


def test_sandbox_of_a_key_after_a_removal_is_the_new_one(process: Process) -> None:
    """Removed, created again and used in one turn of the event loop."""
    bench = process.open()
    old = bench.key("a")
    old.task(HELD)

    async def replace() -> None:
        await bench.store.remove(old.id)
        await bench.store.open(old.id, is_broke=True, real_ms=START_MS)
        await persisted(bench.store)

    bench.run(replace())
    key = process.open().key("a")

    assert (key.states(), key.counters().balance_microusd) == ({}, 0)


def test_sandbox_that_is_removed_in_the_turn_of_its_creation_leaves_nothing(
    process: Process,
) -> None:
    bench = process.open()

    async def create_and_remove() -> None:
        await bench.store.open("a sandbox", is_broke=False, real_ms=START_MS)
        await bench.store.remove("a sandbox")
        await persisted(bench.store)

    bench.run(create_and_remove())
    process.open()

    assert process.store._sandboxes == {}
    assert process.rows("checkpoint") == 0


def test_scrapes_write_nothing(process: Process) -> None:
    """Monitoring reads the counters of every sandbox every few seconds."""
    bench = process.open()
    key = bench.key()
    key.task(lasting(10))
    before = process.rows("log")
    for _ in range(5):
        key.counters()
    bench.pass_time(10)
    while_live = process.rows("log")
    key.counters()

    assert (while_live, process.rows("log")) == (before, before + 1)


def test_sandbox_that_is_restored_from_a_snapshot_is_there_after_a_restart(
    process: Process,
) -> None:
    bench = process.open()
    source, other = bench.key("source"), bench.key("other")
    task = source.callback_task(lasting(1000))
    other.execute(Restore, snapshot=source.execute(TakeSnapshot))
    before = contents(process.store)
    again = process.open()

    assert contents(process.store) == before
    assert again.key("other").stored(task.id) == task


def test_limit_of_all_tasks_holds_after_a_restart(process: Process) -> None:
    bench = process.open(max_tasks=3)
    for name, duration_ms in (("a", 20), ("b", 10), ("c", 100_000)):
        bench.key(name).task(lasting(duration_ms))
    bench.pass_time(50)
    for name in "abc":
        bench.key(name).counters()
    again = process.open(max_tasks=3)
    again.real_ms = bench.real_ms
    again.key("d").task(HELD)

    assert [len(again.key(name).states()) for name in "abcd"] == [1, 0, 1, 1]


def test_lower_limit_after_a_restart_keeps_live_tasks_and_admits_no_more(process: Process) -> None:
    bench = process.open(max_tasks=10)
    key = bench.key()
    ending = [key.task(lasting(10)) for _ in range(2)]
    held = [key.task(HELD) for _ in range(3)]
    again = process.open(max_tasks=2)
    again.real_ms = bench.real_ms + 10
    key = again.key()

    for _ in range(2):
        answer = key.submit(HELD)
        assert isinstance(answer, Rejection)
        assert answer.reason is RejectionReason.NO_ROOM
    assert key.states().keys() == {task.id for task in held}
    assert not key.states().keys() & {task.id for task in ending}
    for task in held:
        key.finish(task.id)
    assert isinstance(key.submit(HELD), TaskView)
    assert len(key.states()) == 2


def test_time_in_a_sandbox_does_not_go_back_with_the_clock_of_the_machine(
    process: Process,
) -> None:
    bench = process.open()
    key = bench.key()
    bench.pass_time(5000)
    before = key.balance()
    again = process.open()
    again.real_ms = START_MS

    assert again.key().balance().now_ms >= before.now_ms


class TestLongLog:
    """A log becomes long with every request; a checkpoint makes it short."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox_log, "_SHORT_LOG_BYTES", 1000)
        monkeypatch.setattr(sandbox_log, "_BATCHES_AT_ONCE", 3)

    def test_log_stays_short_in_comparison_with_its_checkpoint(self, process: Process) -> None:
        bench = process.open()
        key = bench.key()
        task = key.task(HELD)
        for _ in range(500):
            key.status(task.id)
            process.turns(1)

            assert process.bytes("log") < 3 * max(1000, 2 * process.bytes("checkpoint"))
        assert process.rows("log") < 400

    @given(turns=st.integers(0, 60), tasks=st.integers(1, 30))
    def test_process_can_end_at_any_step_of_a_checkpoint(
        self, tmp_path_factory: pytest.TempPathFactory, runner: asyncio.Runner,
        turns: int, tasks: int,
    ) -> None:  # fmt: skip
        process = Process(str(tmp_path_factory.mktemp("any") / "state.db"), runner)
        bench = process.open()
        key = bench.key()
        for _ in range(tasks):
            key.task(HELD)
        process.turns(turns)
        bench.run(persisted(bench.store))
        before = contents(process.store)
        process.open()

        assert contents(process.store) == before
        process.kill()

    def test_log_can_become_long_during_the_checkpoint_of_another(
        self, process: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        bench = process.open()
        keys = [bench.key(name) for name in "abc"]

        async def use_all() -> None:
            for turn in range(100):
                for key in keys[: 1 + turn % 3]:
                    await bench.store.execute(key.id, SUBMIT)
                await asyncio.sleep(0)

        bench.run(use_all())
        process.turns(200)

        assert caplog.messages == []  # The event loop logs the errors of its callbacks.
        assert process.bytes("log") < 3 * process.bytes("checkpoint")

    def test_sandbox_can_be_removed_during_its_checkpoint(self, process: Process) -> None:
        bench = process.open()
        key = bench.key()
        while process.rows("checkpoint") < 2:
            key.task(HELD)
        bench.run(bench.store.remove(key.id))
        process.stop()
        process.open()

        assert process.store._sandboxes == {}
        assert process.rows("log") == process.rows("checkpoint") == 0


class TestFullDisk:
    """The file must not grow; SQLite then reports what it reports for a full disk."""

    @pytest.fixture
    def bench(self, process: Process) -> Bench:
        bench = process.open()
        self.key = bench.key()
        self.held = self.key.task(HELD)
        return bench

    @pytest.fixture
    def passed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the next attempt follow at once."""
        monkeypatch.setattr(sqlite_store, "_RETRY_S", 0)

    def fill(self, process: Process, bench: Bench) -> str:
        """Submit until a transaction fails; return the reason that the client gets."""
        process.limit_file(1)

        async def submit() -> None:
            for _ in range(50):
                await bench.store.execute(self.key.id, SUBMIT)
            await persisted(bench.store)

        with pytest.raises(StoreUnavailable) as failed:
            bench.run(submit())
        return str(failed.value)

    def test_command_that_cannot_be_written_is_reported_and_the_next_ones_are_rejected(
        self, process: Process, bench: Bench
    ) -> None:
        reason = self.fill(process, bench)

        assert "state.db: database or disk is full" in reason
        assert bench.store.problem == reason
        for change in (
            self.key.balance,
            self.key.counters,
            lambda: bench.key("another"),
            lambda: bench.run(bench.store.remove(self.key.id)),
            lambda: bench.run(bench.store.drop_all()),
            lambda: bench.run(persisted(bench.store)),
        ):
            with pytest.raises(StoreUnavailable, match="disk is full"):
                change()
        assert self.key.stored(self.held.id) == self.held

    @pytest.mark.usefixtures("passed")
    def test_store_writes_what_it_could_not_write_as_soon_as_there_is_space(
        self, process: Process, bench: Bench
    ) -> None:
        self.fill(process, bench)
        process.limit_file(1_000_000)
        process.turns(10)
        assert bench.store.problem is None
        self.key.task(HELD)
        before = contents(process.store)
        process.open()

        assert contents(process.store) == before
        assert len(self.key.states()) == 52

    def test_server_can_start_with_a_full_disk(
        self, process: Process, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even if a sandbox that was removed before has left something."""
        bench.key("removed").task(HELD)
        process.store._file._execute("DELETE FROM sandbox WHERE number > 1")
        process.kill()

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(SqliteFile, "_execute_all", fail)
        monkeypatch.setattr(SqliteFile, "set_header", fail)

        assert process.open().key().states().keys() == {self.held.id}

    def test_process_that_ends_before_that_has_only_what_was_answered(
        self, process: Process, bench: Bench
    ) -> None:
        self.fill(process, bench)
        key = process.open().key()

        assert key.states().keys() == {self.held.id}

    def test_stop_says_that_changes_are_lost(
        self, process: Process, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.fill(process, bench)
        store = process.store
        process.stop()

        assert store._flush_handle is not None
        assert store._flush_handle.cancelled()
        assert "the last changes are lost" in caplog.messages[-1]
        assert "disk is full" in caplog.messages[-1]

    def test_checkpoint_that_cannot_be_written_leaves_the_log(
        self, process: Process, monkeypatch: pytest.MonkeyPatch
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
        self, process: Process, monkeypatch: pytest.MonkeyPatch
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
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    bench = process.open()
    key = bench.key()

    def fail(_: object) -> None:
        raise RuntimeError("the connection is broken")

    async def wait_together() -> None:
        await bench.store.execute(key.id, SUBMIT)
        bench.store.after_persist(fail)
        async with asyncio.timeout(PATIENCE_S):
            await persisted(bench.store)

    bench.run(wait_together())

    assert "the connection is broken" in caplog.text


def test_command_that_cannot_be_encoded_is_reported(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = process.open()
    key = bench.key()

    def fail(_: object) -> bytes:
        raise TypeError("unknown type")

    monkeypatch.setattr(sandbox_log, "encode_commands", fail)
    key.balance()
    with pytest.raises(StoreUnavailable, match="unknown type"):
        key.balance()

    assert "unknown type" in caplog.text
