"""What a request asks for, by its method and path."""

from enum import StrEnum
from typing import Final

from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.server.events import Request

CONTROL_PATH: Final = "/_mock/"


class Operation(StrEnum):
    """What a request asks for; OTHER is a path or method that the contract does not define."""

    SUBMIT = "submit"
    STATUS = "status"
    BALANCE = "balance"
    OTHER_MODEL = "other model"
    DOWNLOAD = "download"
    CONTROL = "control"
    OTHER = "other"


PROVIDER_OPERATIONS: Final = frozenset(
    {Operation.SUBMIT, Operation.STATUS, Operation.BALANCE, Operation.OTHER_MODEL}
)


def operation_of(request: Request) -> Operation:
    """Return what a request asks for."""
    path, method = request.path, request.method
    if path.startswith(CONTROL_PATH):
        return Operation.CONTROL
    if method == "POST" and path == GENERATE:
        return Operation.SUBMIT
    if method == "GET" and path == STATUS:
        return Operation.STATUS
    if method == "GET" and path == BALANCE:
        return Operation.BALANCE
    for own, expected in ((GENERATE, "POST"), (STATUS, "GET")):
        prefix, _, _ = own.rpartition("/")
        head, _, model = path.rpartition("/")
        if head == prefix and model and method == expected:
            return Operation.OTHER_MODEL
    return Operation.OTHER
