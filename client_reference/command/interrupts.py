"""End the command at Ctrl-C, also if Python does not notice the signal or ignores the exception.

Python runs the handler of a signal between two of its instructions. A signal that comes just before
a blocking system call does not end this call, so the handler would run when the response comes, if
it ever does. Python also ignores exceptions that a handler raises in some callbacks, such as
`__del__`. Therefore a thread watches the signals, and repeats what the main thread has missed.
"""

import os
import signal
import socket
import sys
import time
from math import inf
from threading import Event, Thread, main_thread
from types import FrameType

from client_reference.command.output import Exit

_WAKE_INTERVAL_S = 0.05
_RAISE_INTERVAL_S = 1.0
_LAST_INTERRUPT = 3
_STANDARD_ERROR = 2
_SHOW_CURSOR = b"\x1b[?25h"


class Interrupts:
    """The interrupts (SIGINT) of this process.

    The first one raises KeyboardInterrupt in the main thread, again each second until
    `acknowledge()` is called. The second one changes nothing, so that it does not cut off the list
    of tasks. The third one ends the process.
    """

    def __init__(self) -> None:
        self._is_acknowledged = Event()
        self._next_raise_s = inf  # Until the first interrupt.

    def handle(self) -> None:
        """Handle the interrupts from now on. Call this once, in the main thread."""
        # A shell starts background jobs with interrupts ignored. The command respects that.
        if sys.platform == "win32" or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            return
        reader, writer = socket.socketpair()
        writer.settimeout(0)
        Thread(target=self._watch, args=(reader,), name="interrupts", daemon=True).start()
        # The C part of a handler runs at once, in any thread, and writes the number of the signal.
        signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGURG, self._raise)
        signal.signal(signal.SIGINT, _do_nothing)

    def acknowledge(self) -> None:
        """Raise no KeyboardInterrupt from now on, because the command ends in order."""
        self._is_acknowledged.set()

    def _watch(self, signals: socket.socket) -> None:
        main = main_thread().ident
        assert main is not None, "the main thread has started"
        count = 0
        while count < _LAST_INTERRUPT:
            count += signals.recv(64).count(signal.SIGINT)
            if count and not self._is_acknowledged.is_set():
                if self._next_raise_s == inf:
                    self._next_raise_s = 0.0
                # This signal ends a blocking system call, and then Python runs its handler.
                # Its number is written to the socket, too, so the next `recv` does not block.
                signal.pthread_kill(main, signal.SIGURG)
                self._is_acknowledged.wait(_WAKE_INTERVAL_S)
        if os.isatty(_STANDARD_ERROR):
            os.write(_STANDARD_ERROR, _SHOW_CURSOR)
        os._exit(Exit.INTERRUPTED)

    def _raise(self, _: int, __: FrameType | None) -> None:
        if self._is_acknowledged.is_set() or time.monotonic() < self._next_raise_s:
            return
        self._next_raise_s = time.monotonic() + _RAISE_INTERVAL_S
        raise KeyboardInterrupt


def _do_nothing(_: int, __: FrameType | None) -> None:
    """Let the thread handle the signal."""


# A process has one handler for each signal.
INTERRUPTS = Interrupts()
