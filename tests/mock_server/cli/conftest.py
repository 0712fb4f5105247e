import pytest

from tests.mock_server.cli.in_process import Run, runner


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command in this process."""
    return runner(capsys, monkeypatch)
