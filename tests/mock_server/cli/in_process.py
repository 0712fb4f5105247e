"""The command `mock-server` within the test's process, for runs that end before they serve."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mock_server.__main__ import run as run_command
from tests.mock_server.cli.commands import environment


@dataclass(frozen=True, slots=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


def runner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command with arguments and environment variables."""

    def run(*arguments: str, **variables: str) -> Ended:
        monkeypatch.setattr(os, "environ", environment(variables))
        capsys.readouterr()
        status = run_command(list(arguments))
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run
