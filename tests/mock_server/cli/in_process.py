"""The command `mock-server` within the test's process; it does not serve there."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mock_server import server
from mock_server.command import run as run_command
from mock_server.settings import Settings
from tests.mock_server.cli.commands import environment


@dataclass(frozen=True, slots=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Start:
    """What the command hands to the server."""

    settings: Settings
    notices: list[str]


Run = Callable[..., Ended]
StartHere = Callable[..., Start]


def runner(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Settings, list[str]], None],
) -> Run:
    """Return a function that runs the command with arguments and environment variables.

    Where it would serve, it calls `serve`.
    """

    def run(*arguments: str, **variables: str) -> Ended:
        monkeypatch.setattr(os, "environ", environment(variables))
        monkeypatch.setattr(server, "run", serve)
        capsys.readouterr()
        status = run_command(list(arguments))
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run


def do_not_serve(settings: Settings, _: list[str]) -> None:
    raise AssertionError(f"the command has started a server with {settings}")


def starter(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> StartHere:
    """Return a function that runs the command up to the start of the server."""

    def start(*arguments: str, **variables: str) -> Start:
        starts: list[Start] = []
        run = runner(
            capsys,
            monkeypatch,
            lambda settings, notices: starts.append(Start(settings, notices)),
        )
        ended = run(*arguments, **variables)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        [begun] = starts
        return begun

    return start


def assert_stopped(ended: Ended, *, naming: str) -> None:
    """Assert that a command has ended with status 2 and one line that names something."""
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("Error: ")
    assert naming in ended.stderr
