"""Meaning faults: the response arrives complete, but its content is wrong.

To add a fault, declare it here and write its function in `web/meaning_faults.py`.
"""

from enum import StrEnum
from typing import Self

import msgspec

from mock_server.domain.operation import Operation
from mock_server.domain.task import TaskState

_SUCCESS = (TaskState.SUCCESS,)
_FINAL = (TaskState.SUCCESS, TaskState.FAILED)


class MeaningTraits(msgspec.Struct, frozen=True, kw_only=True):
    about: str
    operation: Operation  # Status or result.
    states: tuple[TaskState, ...] = tuple(TaskState)  # The task states to which it can be applied.
    hides_result: bool = False  # A client cannot read the result URLs of a success.
    spoils_picture: bool = False  # A client downloads a wrong picture.


class MeaningFault(StrEnum):
    traits: MeaningTraits

    def __new__(cls, name: str, traits: MeaningTraits) -> Self:
        fault = str.__new__(cls, name)
        fault._value_ = name
        fault.traits = traits
        return fault

    def can_apply(self, state: TaskState | None) -> bool:
        """Tell whether a response about a task in this state can contain the fault."""
        return state in self.traits.states

    RESULT_JSON_MALFORMED = (
        "result-json-malformed",
        MeaningTraits(
            about="`resultJson` of a success is truncated JSON.",
            operation=Operation.STATUS,
            states=_SUCCESS,
            hides_result=True,
        ),
    )
    RESULT_URLS_EMPTY = (
        "result-urls-empty",
        MeaningTraits(
            about="`resultJson` of a success has an empty list of addresses.",
            operation=Operation.STATUS,
            states=_SUCCESS,
        ),
    )
    UNKNOWN_STATE = (
        "unknown-state",
        MeaningTraits(
            about="`state` is `queued`, a value that is not documented.",
            operation=Operation.STATUS,
        ),
    )
    UNKNOWN_MEMBERS = (
        "unknown-members",
        MeaningTraits(
            about="The body has additional members that are not documented.",
            operation=Operation.STATUS,
        ),
    )
    MEMBER_ORDER = (
        "member-order",
        MeaningTraits(
            about="The members of the body are in the opposite order.",
            operation=Operation.STATUS,
        ),
    )
    FINAL_LATE = (
        "final-late",
        MeaningTraits(
            about="The status of a finished task still says `processing`.",
            operation=Operation.STATUS,
            states=_FINAL,
        ),
    )
    RESULT_MISSING = (
        "result-missing",
        MeaningTraits(about="The result is not found (404).", operation=Operation.RESULT),
    )
    RESULT_TRUNCATED = (
        "result-truncated",
        MeaningTraits(
            about="The picture is cut in half, with the `Content-Length` of the half.",
            operation=Operation.RESULT,
            spoils_picture=True,
        ),
    )
    RESULT_CORRUPT = (
        "result-corrupt",
        MeaningTraits(
            about="64 bytes in the middle of the picture are inverted.",
            operation=Operation.RESULT,
            spoils_picture=True,
        ),
    )
    RESULT_WRONG_TYPE = (
        "result-wrong-type",
        MeaningTraits(
            about="The result is an HTML page with status 200.",
            operation=Operation.RESULT,
            spoils_picture=True,
        ),
    )
    RESULT_EXPIRED = (
        "result-expired",
        MeaningTraits(about="The result has expired (410).", operation=Operation.RESULT),
    )
    RESULT_REDIRECTED = (
        "result-redirected",
        MeaningTraits(
            about="The result is at another address (302): at `localhost` if the host is"
            " `127.0.0.1`, otherwise at `127.0.0.1` if it is `localhost`.",
            operation=Operation.RESULT,
        ),
    )
