"""Standard streams of a command that are closed, full, or read by nobody.

`mock_server/standard_streams.py` does the same: the kit does not import the mock.
"""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import click

BROKEN_PIPE: Final = 141  # The status of a process that SIGPIPE has ended.
# Errors of writing to a stream; they have no `filename`. ENOENT is from tempfile on a full disk.
_FULL: Final = frozenset(
    {errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOENT, errno.ENOSPC}
)


def open_closed_streams() -> None:
    """Replace closed standard streams by the null device.

    Otherwise a socket gets the number of a standard stream, and libuv aborts the process.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest free number
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def status_of(run: Callable[[], int], *, cannot_write: int) -> int:
    """Run a command and return its exit status, also if its output cannot be written.

    If the reader has closed the pipe, the status is 141.  If another error prevents writing, the
    status is `cannot_write`, and a message says why.
    """
    output = sys.stdout
    try:
        status = run()
        output.flush()
    except SystemExit as end:
        if sys.stdout is not output:  # click replaces it when nobody reads it any longer.
            sys.stdout = output
            _discard_output()
            return BROKEN_PIPE
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        raise
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None or error.errno not in _FULL:
            raise
        _discard_output()
        with suppress(OSError):
            click.echo(f"Error: cannot write the output: {error.strerror}", err=True)
        return cannot_write
    return status


def _discard_output() -> None:
    """Discard buffered output. Otherwise the interpreter would write it at its end, and fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    os.close(null)
