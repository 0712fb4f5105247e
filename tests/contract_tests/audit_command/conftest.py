"""A client of a test's own."""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract_tests.audit_command.clients import CLIENT


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """Return a function that writes a client and returns the command that runs it."""

    def written(doing: str, *words: str) -> str:
        path = tmp_path / "client.py"
        path.write_text(f"{CLIENT}\n{doing}\n", "utf-8")
        return " ".join([shlex.join([sys.executable, str(path)]), *words])

    return written
