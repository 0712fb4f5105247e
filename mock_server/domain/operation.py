"""The kinds of exchanges that a sandbox knows."""

from enum import StrEnum


class Operation(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    BALANCE = "balance"
    CALLBACK = "callback"
