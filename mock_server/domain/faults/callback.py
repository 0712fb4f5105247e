"""Callback faults: a callback is dropped, repeated, delayed, reordered or changed.

To add a fault, declare it here. A fault that changes the body also needs a function in
`runtime/callback_faults.py`.
"""

from enum import StrEnum
from typing import Self

import msgspec

REORDER_MS = 30_000  # Of the sandbox's clock, if no other callback is sent before.


class CallbackValue(StrEnum):
    """The kind of value that a fault needs: `{"duplicate": 3}`, `{"delay": "30s"}`."""

    NONE = ""
    COUNT = "count"
    DURATION = "duration"


class CallbackTraits(msgspec.Struct, frozen=True, kw_only=True):
    about: str
    value: CallbackValue = CallbackValue.NONE
    is_false: bool = False  # The receiver gets wrong content or nothing.
    is_sent: bool = True
    is_slow: bool = False  # The body is sent in small pieces.
    is_early: bool = False  # The callback is sent before the submit is answered.
    delays: bool = False
    yields: bool = False  # The delay ends once another callback has been sent.


class CallbackFault(StrEnum):
    traits: CallbackTraits

    def __new__(cls, name: str, traits: CallbackTraits) -> Self:
        fault = str.__new__(cls, name)
        fault._value_ = name
        fault.traits = traits
        return fault

    DROP = "drop", CallbackTraits(about="The callback is not sent.", is_false=True, is_sent=False)
    DUPLICATE = (
        "duplicate",
        CallbackTraits(
            about='The callback is sent this many more times: `{"duplicate": 3}`.',
            value=CallbackValue.COUNT,
        ),
    )
    DELAY = (
        "delay",
        CallbackTraits(
            about='The callback is sent later, on the sandbox\'s clock: `{"delay": "30s"}`.',
            value=CallbackValue.DURATION,
            delays=True,
        ),
    )
    BEFORE_ANSWER = (
        "before-answer",
        CallbackTraits(
            about="The task ends at once, and its callback is sent before the submit is answered.",
            is_early=True,
        ),
    )
    REORDER = (
        "reorder",
        CallbackTraits(
            about="The callback is sent after another one, or after 30 s on the sandbox's clock.",
            delays=True,
            yields=True,
        ),
    )
    BOTH = (
        "both",
        CallbackTraits(about="A callback with the opposite state is sent first.", is_false=True),
    )
    FORGED_ID = (
        "forged-id",
        CallbackTraits(about="A callback with an unknown task id is sent first."),
    )
    GARBAGE = (
        "garbage",
        CallbackTraits(about="The body of the callback is not JSON.", is_false=True),
    )
    SLOW = (
        "slow",
        CallbackTraits(
            about="The body of the callback is sent in small pieces, slowly.", is_slow=True
        ),
    )


class CallbackEffect(msgspec.Struct, frozen=True, kw_only=True):
    """A callback fault with its value."""

    fault: CallbackFault
    copies: int = 0  # `duplicate` only: the number of additional callbacks.
    delay_ms: int = 0  # Of the sandbox's clock.
