"""Faults of callbacks: dropped, repeated, late, in another order, or with another body.

To add one, declare it here. One that changes what is sent has a function in
`runtime/callback_faults.py`.
"""

from enum import StrEnum
from typing import Self

import msgspec

REORDER_MS = 30_000  # of the sandbox's clock, when no other callback is delivered before


class CallbackValue(StrEnum):
    """What a fault is written with: `{"duplicate": 3}`, `{"delay": "30s"}`."""

    NONE = ""
    COUNT = "count"
    DURATION = "duration"


class CallbackTraits(msgspec.Struct, frozen=True, kw_only=True):
    about: str
    value: CallbackValue = CallbackValue.NONE
    is_false: bool = False  # what arrives does not tell the truth, or nothing arrives
    is_sent: bool = True
    is_slow: bool = False  # is sent bit by bit
    is_early: bool = False  # before the submit is answered
    delays: bool = False
    yields: bool = False  # only until another callback has been delivered


class CallbackFault(StrEnum):
    traits: CallbackTraits

    def __new__(cls, name: str, traits: CallbackTraits) -> Self:
        fault = str.__new__(cls, name)
        fault._value_ = name
        fault.traits = traits
        return fault

    DROP = "drop", CallbackTraits(about="It is not sent.", is_false=True, is_sent=False)
    DUPLICATE = (
        "duplicate",
        CallbackTraits(
            about='It is sent again as often as `{"duplicate": 3}` says.',
            value=CallbackValue.COUNT,
        ),
    )
    DELAY = (
        "delay",
        CallbackTraits(
            about='It is sent later, by `{"delay": "30s"}` of the sandbox\'s clock.',
            value=CallbackValue.DURATION,
            delays=True,
        ),
    )
    BEFORE_ANSWER = (
        "before-answer",
        CallbackTraits(
            about="The task ends at once, and it is sent before the submit is answered.",
            is_early=True,
        ),
    )
    REORDER = (
        "reorder",
        CallbackTraits(
            about="It is sent after another callback, or after 30 s of the sandbox's clock.",
            delays=True,
            yields=True,
        ),
    )
    BOTH = (
        "both",
        CallbackTraits(about="One with the opposite state is sent before it.", is_false=True),
    )
    FORGED_ID = "forged-id", CallbackTraits(about="One with an unknown task id is sent before it.")
    GARBAGE = "garbage", CallbackTraits(about="Its body is not JSON.", is_false=True)
    SLOW = "slow", CallbackTraits(about="Its body arrives bit by bit.", is_slow=True)


class CallbackEffect(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of a callback with its value."""

    fault: CallbackFault
    copies: int = 0  # duplicate: how many are sent in addition
    delay_ms: int = 0  # of the sandbox's clock
