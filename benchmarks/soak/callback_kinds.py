"""The kinds of callback tasks in a soak test, and what each one must lead to (CB-1 … CB-4)."""

from enum import StrEnum

import msgspec

from benchmarks.receiver import CLOSE, OK

_REJECTED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class ReceiverMode(StrEnum):
    """What the receiver does with each callback of a task."""

    ACCEPT = "accept"
    ACCEPT_SECOND = "accept-second"
    REJECT = "reject"
    CLOSE = "close"
    HANG = "hang"
    NONE = "none"  # Nothing listens at the address.


class CallbackKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of callback task. `state`, `attempts` and `received` are those of its end."""

    name: str
    mode: ReceiverMode = ReceiverMode.ACCEPT
    fault: object = None  # The callback fault that a rule injects into each attempt.
    state: str = "delivered"
    attempts: int = 1
    received: int = 1

    @property
    def prompt(self) -> str:
        """The text in a prompt that rules of this kind match."""
        return f"callback kind {self.name}."


_KINDS = (
    CallbackKind(name="accepted"),
    CallbackKind(name="accepted-second", mode=ReceiverMode.ACCEPT_SECOND, attempts=2, received=2),
    CallbackKind(name="rejected", mode=ReceiverMode.REJECT, state="failed", attempts=4, received=4),
    CallbackKind(name="closed", mode=ReceiverMode.CLOSE, state="failed", attempts=4, received=4),
    CallbackKind(name="hanging", mode=ReceiverMode.HANG, state="failed", attempts=4, received=4),
    CallbackKind(
        name="unreachable", mode=ReceiverMode.NONE, state="failed", attempts=4, received=0
    ),
    CallbackKind(name="dropped", fault="drop", state="failed", attempts=4, received=0),
    CallbackKind(name="duplicate", fault={"duplicate": 3}, received=4),
    CallbackKind(
        name="duplicate-rejected",
        mode=ReceiverMode.REJECT,
        fault={"duplicate": 1},
        state="failed",
        attempts=4,
        received=8,
    ),
    CallbackKind(name="delayed", fault={"delay": "30s"}),
    CallbackKind(name="reordered", fault="reorder"),
    CallbackKind(name="both", fault="both", received=2),
    CallbackKind(name="forged-id", fault="forged-id", received=2),
    CallbackKind(name="garbage", fault="garbage"),
    CallbackKind(name="slow", fault="slow"),
    CallbackKind(name="before-answer", fault="before-answer"),
)
KINDS = {kind.name: kind for kind in _KINDS}


def callback_rules() -> list[dict[str, object]]:
    """Return the rules that inject the faults of all kinds."""
    return [
        {
            "match": {"operation": "callback", "prompt": kind.prompt},
            "apply": {"callback": kind.fault},
        }
        for kind in _KINDS
        if kind.fault is not None
    ]


def response(mode: ReceiverMode, received: int) -> bytes | None:
    """Return the response to a callback; `received` is how many of its task came so far."""
    if mode is ReceiverMode.HANG:
        return None
    if mode is ReceiverMode.CLOSE:
        return CLOSE
    is_accepted = mode is ReceiverMode.ACCEPT or (
        mode is ReceiverMode.ACCEPT_SECOND and received > 1
    )
    return OK if is_accepted else _REJECTED
