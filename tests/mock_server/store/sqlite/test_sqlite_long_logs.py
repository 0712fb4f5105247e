"""A log becomes long with every request; a checkpoint makes it short."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.store.sqlite import sandbox_log
from tests.mock_server.store.bench import HELD
from tests.mock_server.store.sqlite.process import SUBMIT, Process
from tests.mock_server.store.sqlite.restarting_store import contents, persisted


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_log, "_SHORT_LOG_BYTES", 1000)
    monkeypatch.setattr(sandbox_log, "_BATCHES_AT_ONCE", 3)


def test_log_stays_short_in_comparison_with_its_checkpoint(process: Process) -> None:
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
    tmp_path_factory: pytest.TempPathFactory, runner: asyncio.Runner, turns: int, tasks: int
) -> None:
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
    process: Process, caplog: pytest.LogCaptureFixture
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


def test_sandbox_can_be_removed_during_its_checkpoint(process: Process) -> None:
    bench = process.open()
    key = bench.key()
    while process.rows("checkpoint") < 2:
        key.task(HELD)
    bench.run(bench.store.remove(key.id))
    process.stop()
    process.open()

    assert process.store._sandboxes == {}
    assert process.rows("log") == process.rows("checkpoint") == 0
