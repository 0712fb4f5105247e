"""An interrupt is repeated if the main thread does not notice it or ignores its exception."""

import subprocess
import sys

import pytest

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.usefixtures("interruptible")

PREPARATION = """
import ctypes, signal, socket
from functools import partial
from operator import call
from client_reference.command.interrupts import INTERRUPTS

INTERRUPTS.handle()
ours, theirs = socket.socketpair()
interrupt = partial(ctypes.CDLL(None)["raise"], int(signal.SIGINT))
receive = partial(ours.recv, 1)
"""


def script(text: str) -> tuple[int, str]:
    """Return the exit status and the output of a script that interrupts itself."""
    ended = subprocess.run(
        [sys.executable, "-c", PREPARATION + text],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


def test_signal_just_before_a_system_call_ends_the_call() -> None:
    """No instruction of Python comes between the signal and the call."""
    assert script("""
try:
    list(map(call, [interrupt, receive]))
except KeyboardInterrupt:
    INTERRUPTS.acknowledge()
    print("noticed")
""") == (0, "noticed\n")


def test_exception_that_python_ignores_is_raised_again() -> None:
    assert script("""
import sys
sys.unraisablehook = lambda _: print("ignored", flush=True)

class Careless:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        receive()

try:
    Careless()
    receive()
except KeyboardInterrupt:
    INTERRUPTS.acknowledge()
    print("noticed")
""") == (0, "ignored\nnoticed\n")


@pytest.mark.parametrize("acknowledge", ["INTERRUPTS.acknowledge()", "pass"])
def test_third_interrupt_ends_the_process(acknowledge: str) -> None:
    """The exception is raised once only, so that the script itself never ends by it."""
    ended = script(f"""
from client_reference.command import interrupts
interrupts._RAISE_INTERVAL_S = 1e9
try:
    list(map(call, [interrupt, receive]))
except KeyboardInterrupt:
    {acknowledge}
list(map(call, [interrupt, interrupt, receive]))
""")
    assert ended == (130, "")
