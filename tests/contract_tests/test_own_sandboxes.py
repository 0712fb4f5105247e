"""A run removes the sandboxes that it created on a mock, and touches no other."""

import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.options import Options
from contract_tests.server.own_sandboxes import OwnSandboxes
from contract_tests.server.session import open_session
from mock_server.settings import Settings
from tests.contract_tests.commands import COMMAND, contract_tests, environment, until
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told, serving
from tests.mock_server.e2e.serving import RunningMock, running
from tests.patience import PATIENCE_S

SOME = ("S-AUTH-024", "S-AUTH-021", "S-SUB-00*", "S-STA-00*")
RESTRICTED = "the-only-key"


@pytest.fixture
def mock() -> Iterator[RunningMock]:
    """Serve to one user with one task."""
    with running(Settings(clock="manual", seed=7)) as mock:
        mock.api("of-the-user").submit()
        yield mock


def sandboxes(mock: RunningMock) -> list[str]:
    return sorted(each["id"] for each in mock.http.get("/_mock/sandboxes").json()["sandboxes"])


def select(*globs: str) -> list[str]:
    return [word for glob in globs for word in ("--select", glob)]


def run_until_error(mock: RunningMock, cases: tuple[Case, ...]) -> None:
    with open_session(Options(base_url=mock.url)) as session:
        results = [case_run.result for case_run in session.run(cases)]
        assert len(sandboxes(mock)) > len(results)
        raise RuntimeError("the report cannot be written")


@pytest.mark.parametrize("key", ["of-the-user", "of-nobody-yet"])
def test_only_the_sandboxes_of_the_user_remain_after_a_run(mock: RunningMock, key: str) -> None:
    before = sandboxes(mock)
    ended = contract_tests("run", "--base-url", mock.url, "--api-key", key, *select(*SOME))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert sandboxes(mock) == before
    assert len(mock.api("of-the-user").told("GET", "tasks")["tasks"]) == 1


def test_only_the_sandboxes_of_the_user_remain_after_an_error(mock: RunningMock) -> None:
    before = sandboxes(mock)

    with pytest.raises(RuntimeError, match="the report cannot be written"):
        run_until_error(mock, select_cases(all_cases(), select=SOME))

    assert sandboxes(mock) == before


def test_only_the_sandboxes_of_the_user_remain_after_ctrl_c(mock: RunningMock) -> None:
    before = sandboxes(mock)
    process = subprocess.Popen(
        [*COMMAND, "run", "--base-url", mock.url],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: len(sandboxes(mock)) >= len(before) + 4, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130, errors
    assert sandboxes(mock) == before


def asked_of(seen: list[Asked], refuses: str) -> Break:
    """Return a server that notes its requests and does not know one part of the mock."""

    async def serve(asked: Asked, serve: Serve) -> Told:
        seen.append(asked)
        key = asked.header(b"authorization").decode()
        if refuses == "control" and asked.path.startswith("/_mock"):
            return Told(status=404, headers=(), body=b"not found")
        if refuses == "other keys" and key not in {"", f"Bearer {RESTRICTED}"}:
            return (await serve(asked)).with_status(401)
        return await serve(asked)

    return serve


@pytest.mark.parametrize("refuses", ["control", "other keys"])
def test_nothing_is_removed_without_control_plane_or_keys_of_the_run(refuses: str) -> None:
    seen: list[Asked] = []
    mutant = Mutant(name=refuses, clause="SUB-1", make=lambda: asked_of(seen, refuses))
    with serving(mutant) as url:
        contract_tests("run", "--base-url", url, "--api-key", RESTRICTED, *select("S-SUB-001"))

    assert seen
    assert not any(b"remove" in asked.query for asked in seen)


def test_mock_that_stopped_responding_changes_no_result(caplog: pytest.LogCaptureFixture) -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with httpx.Client(transport=httpx.MockTransport(gone)) as http:
        own = OwnSandboxes(http, "http://127.0.0.1:9")
        own.add(["sk-secret-key"])
        own.remove()

    assert "were not deleted: connection refused" in caplog.text
    assert "sk-secret" not in caplog.text
