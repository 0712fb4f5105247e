"""C-PAY: what is paid twice, or for nothing."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.rule import Axis, Level, Look, Rule

_HOPELESS: Final = ("CONTENT_VIOLATION", "INVALID_IMAGE_URL")


def _lost_answer(evidence: Evidence) -> Iterator[Look]:
    for submit in evidence.accepted:
        if not submit.is_broken:
            continue
        again = evidence.same_purchase_after(submit)
        if again is None:
            seen = "the accepted submit whose answer was lost was not sent again"
            yield Look(holds=True, seen=seen, event=submit.number)
            continue
        looked = any(
            submit.number < each.number < again.number for each in evidence.of("balance", "status")
        )
        seen = "sent again " + ("after a look at the balance" if looked else "blindly")
        yield Look(holds=False, seen=f"{seen}: paid twice", event=again.number, is_minor=looked)


def _hopeless(evidence: Evidence) -> Iterator[Look]:
    for submit in evidence.accepted:
        told = [
            each
            for each in evidence.failures_told(submit.task_id)
            if str(each.told.get("failCode")) in _HOPELESS
        ]
        if told:
            again = evidence.same_purchase_after(submit, told[0])
            code = told[0].told["failCode"]
            seen = f"after {code} the same was {'submitted' if again else 'not submitted'} again"
            event = again.number if again else told[0].number
            yield Look(holds=again is None, seen=seen, event=event)


def _once(evidence: Evidence) -> Iterator[Look]:
    failed = {task.id for task in evidence.tasks if task.state == "failed"}
    for submit in evidence.accepted:
        if submit.is_broken or submit.task_id in failed:
            continue
        again = evidence.same_purchase_after(submit)
        seen = f"the same was bought {'again while the task lived' if again else 'once'}"
        event = again.number if again else submit.number
        yield Look(holds=again is None, seen=seen, event=event)


RULES: Final = (
    Rule(
        id="C-PAY-001",
        title="a submit whose answer is lost is not blindly sent again",
        clauses=("BIL-1", "SUB-1"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="an accepted submit whose answer did not arrive",
        advice="Do not retry a submit that may have been accepted: tell the user that a task may "
        "be under way. Retry only where the connection was never made, or on 429 and 503.",
        look=_lost_answer,
    ),
    Rule(
        id="C-PAY-002",
        title="what failed for its content or its image is not submitted again unchanged",
        clauses=("FAIL-1", "FAIL-2"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a task that it saw fail with CONTENT_VIOLATION or INVALID_IMAGE_URL",
        advice="Treat CONTENT_VIOLATION and INVALID_IMAGE_URL as final: the same input fails "
        "again.",
        look=_hopeless,
    ),
    Rule(
        id="C-PAY-003",
        title="a task that lives is not bought a second time",
        clauses=("BIL-1", "STA-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a submit that was accepted and answered",
        advice="When a status request or a download fails, repeat that, not the submit.",
        look=_once,
    ),
)
