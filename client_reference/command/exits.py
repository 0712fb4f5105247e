"""The exit statuses, and which one an error leads to."""

from enum import IntEnum

from client_reference.errors import ApiTimeout, SubmissionUncertain, TaskFailed, WaitTimeout


class Exit(IntEnum):
    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    TIMEOUT = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141  # as a shell calls it when the reader of a pipe has gone


def exit_of(error: Exception) -> Exit:
    if isinstance(error, TaskFailed):
        return Exit.FAILED
    if isinstance(error, ValueError):
        return Exit.USAGE
    cause = error.__cause__ if isinstance(error, SubmissionUncertain) else error
    return Exit.TIMEOUT if isinstance(cause, WaitTimeout | ApiTimeout) else Exit.REFUSED
