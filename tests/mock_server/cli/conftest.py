import pytest

from tests.mock_server.cli.in_process import Run, StartHere, runner, starter


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command in this process."""
    return runner(capsys, monkeypatch)


@pytest.fixture
def start_here(run_here: Run, monkeypatch: pytest.MonkeyPatch) -> StartHere:
    """Return a function that runs the command in this process until the server would start."""
    return starter(run_here, monkeypatch)
