"""The kinds of requests that a sandbox handles, and callbacks."""

from enum import StrEnum


class Operation(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    BALANCE = "balance"
    CALLBACK = "callback"

    __hash__ = str.__hash__  # That of an enum is a Python function, five times as slow.
