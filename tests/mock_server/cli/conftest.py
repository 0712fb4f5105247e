import pytest

from tests.mock_server.cli.in_process import Run, StartHere, do_not_serve, runner, starter


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command in this process; it must not serve."""
    return runner(capsys, monkeypatch, do_not_serve)


@pytest.fixture
def start_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> StartHere:
    """Return a function that runs the command in this process until the server would start."""
    return starter(capsys, monkeypatch)
