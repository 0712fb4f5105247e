"""What commands do if standard output is closed, full, or read by nobody."""

import inspect
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

import contract_tests.contract.standard_streams
import mock_server.standard_streams
from tests.patience import PATIENCE_S

COMMANDS: dict[str, tuple[str, ...]] = {
    "mock-server": ("mock_server", "--help"),
    "apixo-testkit": ("apixo_testkit", "--help"),
    "contract-tests": ("apixo_testkit", "list"),
    "client-reference": ("client_reference", "--help"),
}
CANNOT_WRITE = {"mock-server": 1, "apixo-testkit": 1, "contract-tests": 4, "client-reference": 3}


_LISTENING = "0A"  # the state of a socket in /proc/net/tcp


def finished(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module with a redirection of the shell."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_full_standard_output_is_an_error(command: str) -> None:
    done = finished(">/dev/full", *COMMANDS[command])

    assert done.returncode == CANNOT_WRITE[command]
    assert done.stderr == "Error: cannot write the output: No space left on device\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_output_that_nobody_reads_is_a_status(command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", *COMMANDS[command]],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=4 * PATIENCE_S,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("command", COMMANDS)
def test_closed_standard_output_is_no_error(command: str) -> None:
    done = finished("<&- >&- 2>&-", *COMMANDS[command])

    assert done.returncode == 0


@contextmanager
def serving(redirection: str, log: Path) -> Iterator[str]:
    """Start a server with a redirection; yield the address that its log names."""
    command = [sys.executable, "-m", "mock_server", "--port", "0"]
    with (
        log.open("wb") as file,
        subprocess.Popen(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
            stdout=subprocess.PIPE,
            stderr=file,
        ) as server,
    ):
        try:
            yield _port_of(server)
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE_S) == 0


def _port_of(server: "subprocess.Popen[bytes]") -> str:
    """Return the port on which a process listens, as the system knows it."""
    while server.poll() is None:
        for line in Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            address, state, inode = fields[1], fields[3], fields[9]
            if state == _LISTENING and inode in _sockets_of(server.pid):
                return str(int(address.rpartition(":")[2], 16))
    raise AssertionError(f"the server has ended with {server.returncode}")


def _sockets_of(process: int) -> set[str]:
    found: set[str] = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink()))
        except OSError:  # It was closed meanwhile.
            continue
        if match is not None:
            found.add(match[1])
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="finds the port in /proc")
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_server_serves_without_standard_streams(redirection: str, tmp_path: Path) -> None:
    log = tmp_path / "log"

    with serving(redirection, log) as port:
        url = f"http://127.0.0.1:{port}/_mock/health"
        with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE_S) as response:
            assert response.status == 200

    assert "Traceback" not in log.read_text()


def test_both_modules_do_the_same() -> None:
    """Neither package may import the other one, so that the module exists twice."""
    modules = (mock_server.standard_streams, contract_tests.contract.standard_streams)

    mock_source, kit_source = (
        inspect.getsource(module).replace(module.__doc__ or "", "") for module in modules
    )

    assert mock_source == kit_source
