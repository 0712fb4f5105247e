"""Phrases that the findings of several rules share."""

from contract_tests.client.records import ClientExit


def describe_exit(client_exit: ClientExit | None) -> str:
    """Return how the client ended, as a verb phrase."""
    if client_exit is None:
        return "may still be running"
    if client_exit.timed_out:
        return f"was still running after {client_exit.after_s:.0f} s"
    return f"exited with status {client_exit.exit_status}"
