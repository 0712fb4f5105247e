"""`--tls` and `--tls-cert` of the process, and what it says when TLS cannot be set up."""

import signal
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from mock_server.domain.errors import InvalidValue
from mock_server.settings import Settings
from mock_server.tls import prepared_tls
from tests.mock_server.cli.commands import run, started


def test_ca_file_of_a_made_certificate_is_printed_on_a_line_of_its_own() -> None:
    with started("--tls") as server:
        assert server.process.stdout is not None
        server.process.stdout.readline()  # the address of the dashboard
        label, _, path = server.process.stdout.readline().rstrip("\n").partition(": ")
        trusting = ssl.create_default_context(cafile=path)
        ready = httpx.get(f"{server.url}/_mock/ready", verify=trusting, trust_env=False)
        status, rest, _ = server.stop(signal.SIGTERM)

    assert server.url.startswith("https://127.0.0.1:")
    assert (label, ready.status_code, status, rest) == ("CA certificate", 200, 0, "")
    assert not Path(path).parent.exists()


def test_invalid_certificate_is_exit_2_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.crt").touch()

    ended = run("--tls-cert", str(tmp_path / "a.crt"), "--tls-key", "b.key", "--port", "0")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"Error: --tls-cert: {tmp_path}/a.crt: is not a PEM file\n"


def test_missing_package_is_named_with_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)

    with (
        pytest.raises(
            InvalidValue,
            match=r"^--tls: trustme is not installed; run: .* 'apixo-testkit\[tls\]'$",
        ),
        prepared_tls(Settings(tls=True)),
    ):
        pytest.fail("the settings were accepted")


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["schema", "-h"]])
def test_help_has_a_short_switch(arguments: list[str]) -> None:
    ended = run(*arguments)

    assert ended.returncode == 0
    assert ended.stdout.startswith("Usage: mock-server")


def test_invalid_usage_names_the_help_of_its_command() -> None:
    ended = run("schema", "--form")

    assert ended.returncode == 2
    assert ended.stderr == "Error: No such option '--form'; see mock-server schema --help\n"
