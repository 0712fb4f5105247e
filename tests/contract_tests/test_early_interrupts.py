"""Ctrl-C while a command starts or ends: it ends quietly."""

import signal
import subprocess
import sys

import pytest

from tests.contract_tests.commands import ROOT, environment

INTERRUPTED = (-signal.SIGINT, 128 + signal.SIGINT)  # A shell shows both as 130.
AT_IMPORT = """
import os, signal, sys
from {package}.__main__ import main
class SignalDuringImport:
    def find_spec(self, name, *_):
        if name == "{imported}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, SignalDuringImport())
main()
"""
AT_END = """
import atexit, os, signal
from contract_tests.__main__ import main
atexit.register(os.kill, os.getpid(), signal.SIGINT)
main()
"""
IGNORED = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("package", "imported"),
    [
        ("contract_tests", "click"),
        ("contract_tests", "contract_tests.command.terminal"),
        ("apixo_testkit", "mock_server.standard_streams"),
        ("apixo_testkit", "contract_tests.command.terminal"),
    ],
)
def test_interrupt_during_an_import_ends_the_command_quietly(package: str, imported: str) -> None:
    ended = run(AT_IMPORT.format(package=package, imported=imported), "matrix", "--help")

    assert (ended.returncode in INTERRUPTED, ended.stdout, ended.stderr) == (True, "", "")


def test_interrupt_after_the_command_ends_it_quietly() -> None:
    ended = run(AT_END, "matrix", "--help")

    assert (ended.returncode in INTERRUPTED, ended.stderr) == (True, "")


def test_command_ignores_interrupts_if_its_shell_does() -> None:
    ended = run(IGNORED + AT_IMPORT.format(package="contract_tests", imported="click"), "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Usage" in ended.stdout
