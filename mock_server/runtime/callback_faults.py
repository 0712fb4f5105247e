"""The bodies of callbacks with a callback fault."""

from collections.abc import Callable

import msgspec

from mock_server.domain.faults.callback import CallbackEffect, CallbackFault
from mock_server.domain.task import Task

DROPPED = "not sent: dropped by a rule"
GARBAGE = b'\x00\xff{"code": 200, "data": <garbage>'

Encode = Callable[[Task], bytes]


def bodies(effect: CallbackEffect | None, task: Task, encode: Encode) -> list[bytes]:
    """Return the bodies to send, in order. The receiver's response to the last one counts."""
    if effect is not None and effect.fault in _BODIES:
        return _BODIES[effect.fault](effect, task, encode)
    return [encode(task)]


def _other_end(task: Task) -> Task:
    ending = msgspec.structs.replace(task.ending, fail_code=None, fail_message=None)
    if task.ending.fail_code is None:
        ending = msgspec.structs.replace(
            ending, fail_code="GENERATION_FAILED", fail_message="the generation failed"
        )
    return msgspec.structs.replace(task, ending=ending)


def _forged(task: Task) -> Task:
    """Return the task with a valid id that belongs to no task."""
    head, digits, suffix = task.id[:21], task.id[21:37], task.id[37:]
    changed = "".join("1" if digit == "0" else "0" for digit in digits)
    return msgspec.structs.replace(task, id=head + changed + suffix)


def _copies(effect: CallbackEffect, task: Task, encode: Encode) -> list[bytes]:
    return [encode(task)] * (effect.copies + 1)


def _garbage(_: CallbackEffect, __: Task, ___: Encode) -> list[bytes]:
    return [GARBAGE]


def _both(_: CallbackEffect, task: Task, encode: Encode) -> list[bytes]:
    return [encode(_other_end(task)), encode(task)]


def _forged_id(_: CallbackEffect, task: Task, encode: Encode) -> list[bytes]:
    return [encode(_forged(task)), encode(task)]


_BODIES: dict[CallbackFault, Callable[[CallbackEffect, Task, Encode], list[bytes]]] = {
    CallbackFault.DUPLICATE: _copies,
    CallbackFault.GARBAGE: _garbage,
    CallbackFault.BOTH: _both,
    CallbackFault.FORGED_ID: _forged_id,
}
