"""The kinds of requests that a sandbox handles, and callbacks."""

from enum import StrEnum


class Operation(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    BALANCE = "balance"
    CALLBACK = "callback"
