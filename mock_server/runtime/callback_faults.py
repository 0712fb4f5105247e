"""What is sent in place of one callback when a rule says so: pure."""

from collections.abc import Callable

import msgspec

from mock_server.domain.faults import CallbackFault
from mock_server.domain.task import Task

DROPPED = "not sent, a rule drops it"
GARBAGE = b'\x00\xff{"code": 200, "data": <garbage>'
REORDER_MS = 30_000  # of the sandbox's clock, when no other callback comes before

Encode = Callable[[Task], bytes]


def bodies(fault: CallbackFault | None, task: Task, encode: Encode) -> list[bytes]:
    """Return what is sent, in order; what the receiver says to the last counts."""
    kind = fault.kind if fault else ""
    true = encode(task)
    if fault is not None and kind == "duplicate":
        return [true] * (fault.copies + 1)
    if kind == "garbage":
        return [GARBAGE]
    if kind == "both":
        return [encode(_other_end(task)), true]
    if kind == "forged-id":
        return [encode(_forged(task)), true]
    return [true]


def _other_end(task: Task) -> Task:
    plan = msgspec.structs.replace(task.plan, fail_code=None, fail_message=None)
    if task.plan.fail_code is None:
        plan = msgspec.structs.replace(
            plan, fail_code="GENERATION_FAILED", fail_message="the generation failed"
        )
    return msgspec.structs.replace(task, plan=plan)


def _forged(task: Task) -> Task:
    """Give it the id of no task, in the form that ids have."""
    head, digits, suffix = task.id[:21], task.id[21:37], task.id[37:]
    changed = "".join("1" if digit == "0" else "0" for digit in digits)
    return msgspec.structs.replace(task, id=head + changed + suffix)
