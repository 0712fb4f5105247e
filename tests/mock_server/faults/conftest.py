"""A clock of the machine that a test can set."""

from pathlib import Path

import pytest

from tests.mock_server.faults.machine_clock import MachineClock, find_library


@pytest.fixture
def machine_clock(tmp_path: Path) -> MachineClock:
    return MachineClock(tmp_path / "clock", find_library())
