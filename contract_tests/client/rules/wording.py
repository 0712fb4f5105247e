"""Phrases that the findings of several rules share."""

import re
from collections.abc import Iterable
from typing import Final

from contract_tests.client.records import ClientExit

# What Python, Go, Java, Node and the shell print about an error that no code handles.
_CRASH: Final = re.compile(
    r"^(?:Traceback \(most recent call last\):|panic: |Exception in thread |Uncaught "
    r"|node:internal/|Node\.js v\d|Unhandled|fatal error: |Segmentation fault)"
    r"|UnhandledPromiseRejection",
    re.MULTILINE,
)


def describe_exit(client_exit: ClientExit | None) -> str:
    """Return how the client ended, as a verb phrase."""
    if client_exit is None:
        return "may still be running"
    if client_exit.timed_out:
        return f"was still running after {client_exit.after_s:.0f} s"
    return f"exited with status {client_exit.exit_status}"


def has_crashed(client_exit: ClientExit) -> bool:
    """Tell whether a client ended by a signal, or by an error that it did not handle."""
    if client_exit.timed_out:
        return False
    return client_exit.exit_status < 0 or bool(_CRASH.search(client_exit.output))


def describe_faults(injected: Iterable[str]) -> str:
    """Return the names of injected faults, without their kinds, as a noun phrase."""
    names = sorted(each.rpartition(" ")[2] for each in injected)
    noun = "fault" if len(names) == 1 else "faults"
    return f"the injected {noun} {' and '.join(names)}"
