"""Phrases that the findings of several rules share."""

from collections.abc import Iterable

from contract_tests.client.records import ClientExit


def describe_exit(client_exit: ClientExit | None) -> str:
    """Return how the client ended, as a verb phrase."""
    if client_exit is None:
        return "may still be running"
    if client_exit.timed_out:
        return f"was still running after {client_exit.after_s:.0f} s"
    return f"exited with status {client_exit.exit_status}"


def describe_faults(injected: Iterable[str]) -> str:
    """Return the names of injected faults, without their kinds, as a noun phrase."""
    names = sorted(each.rpartition(" ")[2] for each in injected)
    noun = "fault" if len(names) == 1 else "faults"
    return f"the injected {noun} {' and '.join(names)}"
