"""`contract-tests audit` rejects invalid usage before anything starts."""

import errno
import json
import socket
import tempfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import httpx
import pytest

from contract_tests.command.directories import make_directory
from contract_tests.contract.mock_process import start_mock
from tests.contract_tests.audit_command.clients import (
    audit,
)
from tests.contract_tests.commands import contract_tests


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "one of --exec COMMAND and --watch is required"),
        (("--exec", "true", "--watch"), "one of --exec COMMAND and --watch is required"),
        (("--exec", ""), "give the command that runs your client"),
        (("--exec", "'"), "--exec: invalid command line: No closing quotation"),
        (("--exec", "no-such-command {prompt}"), 'command not found: "no-such-command"'),
        (("--exec", "README.md"), 'command not found: "README.md"'),
        (("--exec", "./README.md"), 'file is not executable: "./README.md"'),
        (("--exec", "true {promt}"), "unknown placeholder {promt}; did you mean {prompt}?"),
        (
            ("--exec", "true {nothing}"),
            "unknown placeholder {nothing}; the known ones are {base_url}",
        ),
        (("--exec", "true", "--idle-timeout", "1"), "--idle-timeout requires --watch"),
        (("--exec", "true", "--quiet", "1"), "--idle-timeout requires --watch"),
        (("--exec", "true", "--manifest", "x"), "--manifest requires --watch"),
        (("--exec", "true", "--select", "A-LIM-05"), 'did you mean "A-LIM-005"?'),
        (("--exec", "true", "--select", "c-pol-002"), 'did you mean "C-POLL-002"?'),
        (("--exec", "true", "--select", "A-*", "--select", "@"), "list --audit"),
        (("--exec", "true", "--select", "C-LIM-007"), "not tested by any case"),
        (("--exec", "true", "--report", "README.md"), "README.md"),
        (("--exec", "true", "--report", "README.md/folder"), "README.md/folder"),
        (("--watch", "--manifest", "README.md/file"), "README.md"),
        (("--exec", "true", "--timeout", "0"), "--timeout"),
        (("--exec", "true", "--base-url", "http://x", "--seed", "1"), "omit --base-url"),
        (("--exec", "true", "--base-url", "http://x", "--port", "1"), "omit --base-url"),
        (("--exec", "true", "--suite", "smoke"), "--suite"),
        (("--exec", "true", "--profile", "smoke"), "--suite"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_invalid_usage_is_rejected_before_anything_starts(
    words: tuple[str, ...], told: str
) -> None:
    ended = contract_tests("audit", *words, is_watched=True)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_mock_that_runs_already_is_used(tmp_path: Path) -> None:
    with start_mock(11) as url:
        ended = audit("true", "--base-url", f"{url}/", "--report", str(tmp_path))
        is_alive = httpx.get(f"{url}/_mock/health").status_code == 200

    report = json.loads((tmp_path / "report.json").read_bytes())
    assert (report["base_url"], report["seed"], is_alive) == (url, 11, True)
    assert "sent no request to the mock" in ended.stderr


def test_address_without_a_mock_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    ended = audit("true", "--base-url", url)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"--base-url {url}: cannot be reached" in ended.stderr


def test_address_with_a_password_is_rejected_without_showing_it() -> None:
    ended = audit("true", "--base-url", "http://user:password@127.0.0.1:9")

    assert ended.returncode == 2
    assert "--base-url: must be a URL such as http://127.0.0.1:8080" in ended.stderr
    assert "password" not in ended.stdout + ended.stderr


def test_other_server_is_no_mock() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        Thread(target=other.handle_request).start()
        ended = audit("true", "--base-url", f"http://127.0.0.1:{other.server_port}")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is not a mock server; start one with mock-server" in ended.stderr


def test_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = audit("true", "--port", str(taken.getsockname()[1]))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--port 0 chooses a free port" in ended.stderr


def test_report_directory_without_write_permission_is_reported_before_the_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_denied(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", is_denied)

    with pytest.raises(click.UsageError, match="report: Permission denied"):
        make_directory(tmp_path / "report")


def test_manifest_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / ".keys.json.part").mkdir()
    ended = contract_tests("audit", "--watch", "--manifest", tmp_path / "keys.json")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "keys.json: Is a directory" in ended.stderr
