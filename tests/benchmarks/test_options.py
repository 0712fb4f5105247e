"""The commands name what is wrong before they measure."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.errors import BenchError
from benchmarks.options import chosen, prepare

KNOWN = {"status": 1, "submit": 2, "start": 3}


@pytest.fixture(autouse=True)
def restored_signal() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def test_all_are_chosen_without_the_switch() -> None:
    assert chosen(None, KNOWN) == KNOWN


def test_named_ones_keep_their_usual_order() -> None:
    assert list(chosen("start, status", KNOWN)) == ["status", "start"]


@pytest.mark.parametrize(("only", "unknown"), [("speed", "speed"), ("status,", ""), ("", "")])
def test_unknown_name_is_rejected_with_the_known_ones(only: str, unknown: str) -> None:
    with pytest.raises(BenchError, match=rf'^--only: .*status, submit, start \(got "{unknown}"\)$'):
        chosen(only, KNOWN)


def test_output_in_a_missing_folder_is_rejected(tmp_path: Path) -> None:
    prepare(tmp_path / "bench.json")

    with pytest.raises(BenchError, match=r"--output: .*none/bench.json cannot be written"):
        prepare(tmp_path / "none" / "bench.json")


def test_stopped_benchmark_ends_its_blocks(tmp_path: Path) -> None:
    prepare(tmp_path / "bench.json")

    with pytest.raises(SystemExit, match="143"):
        signal.raise_signal(signal.SIGTERM)
