"""Which files a process accepts when it starts, and what it says about others."""

from pathlib import Path

import pytest

from mock_server.domain.commands import SetClock
from mock_server.domain.errors import InvalidValue
from mock_server.domain.sandbox_settings import SandboxSettings
from tests.mock_server.store.bench import HELD
from tests.mock_server.store.sqlite.process import CONTENT, MANY, SUBMIT, Process


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


@pytest.mark.parametrize("table", CONTENT)
def test_damaged_sandbox_is_rejected(process: Process, table: str) -> None:
    process.open().key().task()
    process.store._file._execute(f"UPDATE {table} SET {CONTENT[table]} = x'0102'")

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


def test_file_knows_the_latest_real_instant_that_its_sandboxes_depend_on(process: Process) -> None:
    """A server whose clock was set back in the meantime continues from there."""
    bench = process.open()
    bench.key("a").task(HELD)
    bench.pass_time(1_000)
    bench.key("b").execute(SetClock, mode="real", speed=2.0)
    latest_ms = bench.real_ms

    assert process.store.latest_real_ms == latest_ms
    process.open()
    assert process.store.latest_real_ms == latest_ms
    process.stop()
    process.open()
    assert process.store.latest_real_ms == latest_ms
