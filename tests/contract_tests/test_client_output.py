"""The output of a client is kept within bounds."""

import os
import subprocess
import sys
import tempfile
from typing import IO

import pytest

from contract_tests.client.driving import output
from contract_tests.client.driving.output import CapturedOutput

PRINTS = "import sys; [print('x' * 999) for _ in range({lines})]; print('the end')"


def run(lines: int, file: IO[bytes]) -> None:
    command = (sys.executable, "-c", PRINTS.format(lines=lines))
    subprocess.run(command, stdout=file, check=True)


def test_output_beyond_the_bound_leaves_the_disk_but_its_end_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(output, "_MAX_STORED", 1_000_000)
    with tempfile.TemporaryFile() as file:
        captured = CapturedOutput(file)

        for _ in range(3):
            run(2_000, file)
            captured.limit()

        assert os.fstat(file.fileno()).st_blocks == 0
        assert captured.end().endswith("the end\n")
        run(2, file)
        lines = captured.end().splitlines()
        assert lines[-4:] == ["the end", "x" * 999, "x" * 999, "the end"]


def test_output_within_the_bound_is_not_touched() -> None:
    with tempfile.TemporaryFile() as file:
        captured = CapturedOutput(file)
        run(10, file)
        captured.limit()

        assert captured.end().count("x" * 999) == 10
